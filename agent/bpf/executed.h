/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Which programs are executed on the machine, so that none that a command has started is missed,
 * however short it lives.
 *
 * Cost: some reads of the kernel's memory each time that a program is executed; nothing else.
 */
#ifndef LOOPSCOPE_EXECUTED_H
#define LOOPSCOPE_EXECUTED_H

#include "number.h"

SEC("raw_tp/sched_process_exec")
int loopscope_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *program = (void *)ctx->args[2];
	struct executed executed = { .at_ns = bpf_ktime_get_ns() };
	int at;

	task = BPF_CORE_READ(task, group_leader);
	executed.pid = number_of(task);
	if (!executed.pid)
		return 0;
	for (at = 0; at < ANCESTORS; at++) {
		task = BPF_CORE_READ(task, real_parent, group_leader);
		executed.ancestors[at] = number_of(task);
	}
	bpf_probe_read_kernel_str(executed.file, sizeof(executed.file),
				  BPF_CORE_READ(program, interp));
	if (bpf_map_push_elem(&executions, &executed, 0))
		LOST(executed);
	return 0;
}

#endif
