/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What a thread is called where the agent lives.
 */
#ifndef LOOPSCOPE_NUMBER_H
#define LOOPSCOPE_NUMBER_H

#include "maps.h"

/* The number of a thread (of a process: of its leader) in the agent's PID namespace, however far below
 * that it lives; 0: it has none there. */
static __noinline __u32 number_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *upid = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	__u32 at;

	for (at = 0; at < NAMESPACES && at <= level; at++) {
		struct pid_namespace *namespace = BPF_CORE_READ(upid, ns);

		if (BPF_CORE_READ(namespace, ns.inum) == (__u32)pid_namespace_inode)
			return BPF_CORE_READ(upid, nr);
		upid = (void *)upid + bpf_core_type_size(struct upid);
	}
	return 0;
}

#endif
