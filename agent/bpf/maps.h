/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What of the kernel is read, and the maps: what is kept between hits.
 */
#ifndef LOOPSCOPE_MAPS_H
#define LOOPSCOPE_MAPS_H

#include "shared.h"

#define OFFSET(type, field) __builtin_offsetof(struct type, field)

/* What of the kernel's own structures is read; the offsets are found when the program is loaded. */
struct sched_entity {
	__u64 sum_exec_runtime;
	__u64 prev_sum_exec_runtime;
} __attribute__((preserve_access_index));

struct sched_info {
	unsigned long long run_delay;
	unsigned long long last_arrival;
} __attribute__((preserve_access_index));

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct pid_namespace {
	struct ns_common ns;
} __attribute__((preserve_access_index));

struct upid {
	int nr;
	struct pid_namespace *ns;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

struct linux_binprm {
	const char *interp;
} __attribute__((preserve_access_index));

struct task_struct {
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct sched_entity se;
	struct sched_info sched_info;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	__u64 start_boottime;
} __attribute__((preserve_access_index));

/* The PID namespace of the agent, in which thread ids are told. */
const volatile __u64 pid_namespace_inode;

/* The layout of the maps as this compiler has it. */
const volatile __u32 layout[] = {
	sizeof(struct slot),
	sizeof(struct target),
	sizeof(struct stall),
	OFFSET(slot, thread_start_ns),
	OFFSET(slot, loop),
	OFFSET(slot, boundary_account),
	OFFSET(slot, turn),
	OFFSET(slot, phase),
	OFFSET(slot, drain_start_ns),
	OFFSET(slot, gc_depth),
	OFFSET(slot, hits),
	OFFSET(slot, stall_ns),
	OFFSET(slot, lateness_ns),
	OFFSET(slot, phase_ns),
	OFFSET(slot, drain_length),
	OFFSET(slot, gc_ns),
	OFFSET(slot, recent),
	OFFSET(stall, turn),
	OFFSET(stall, account),
	OFFSET(target, knows),
	sizeof(struct sampler),
	sizeof(struct sample),
	sizeof(struct frame),
	OFFSET(sample, frame),
	OFFSET(frame, words),
	OFFSET(frame, shared),
	sizeof(struct executed),
	OFFSET(executed, file),
	sizeof(struct losses),
};

struct loop_key {
	__u64 thread;
	__u64 loop;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* Slots that no loop has. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_SLOTS);
	__uint(value_size, sizeof(__u32));
} free_slots SEC(".maps");

/* The first loop of each thread, and so the one whose JavaScript it runs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * MAX_SLOTS);
	__type(key, __u64);
	__type(value, __u32);
} threads SEC(".maps");

/* Further loops of Node's own on one thread, as an embedder may have. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SLOTS);
	__type(key, struct loop_key);
	__type(value, __u32);
} further_loops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct losses);
} losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scheduler_clock);
} scheduler SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SAMPLERS);
	__type(key, __u32);
	__type(value, struct sampler);
} samplers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, EXECUTIONS);
	__uint(value_size, sizeof(struct executed));
} executions SEC(".maps");

struct hit {
	__u64 now;
	__u64 thread;
	__u32 point;
	__u32 target_index;
	struct target *target;
	struct task_struct *task;
};

#define inline_always static __always_inline

/* Several threads may count here at once. */
#define LOST(kind)                                                                                 \
	do {                                                                                       \
		__u32 zero = 0;                                                                    \
		struct losses *lost = bpf_map_lookup_elem(&losses, &zero);                         \
		if (lost)                                                                          \
			__sync_fetch_and_add(&lost->kind, 1);                                      \
	} while (0)

#endif
