/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Counting into histograms, and what the kernel accounts to a thread.
 */
#ifndef LOOPSCOPE_COUNT_H
#define LOOPSCOPE_COUNT_H

#include "maps.h"

inline_always __u32 leading_zeros(__u64 value)
{
	__u32 zeros = 0;

	if (!(value >> 32)) { zeros += 32; value <<= 32; }
	if (!(value >> 48)) { zeros += 16; value <<= 16; }
	if (!(value >> 56)) { zeros += 8; value <<= 8; }
	if (!(value >> 60)) { zeros += 4; value <<= 4; }
	if (!(value >> 62)) { zeros += 2; value <<= 2; }
	if (!(value >> 63)) { zeros += 1; }
	return zeros;
}

/* As `index_for` in loop-core's `buckets.rs`. */
static __noinline __u32 bucket(__u64 value, __u32 linear_bits)
{
	linear_bits &= 63;
	__u32 zeros = leading_zeros(value | 1ULL << linear_bits) & 63;
	__u32 octave = 63 - linear_bits - zeros;

	return octave * SUB_BUCKETS + (__u32)(value << zeros >> (63 - SUB_BITS));
}

inline_always void record(struct histogram *h, __u64 value, __u32 linear_bits)
{
	__u32 index = bucket(value, linear_bits);

	if (index >= BUCKETS)
		index = BUCKETS - 1;
	h->counts[index] += 1;
	h->sum += value;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

inline_always __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

/* Reads eight bytes of the target. What can't be read (its page isn't there just now) is counted;
 * nothing may be made of it. Returns whether it was read. */
inline_always int read(struct slot *slot, __u64 address, __u64 *value)
{
	if (!bpf_probe_read_user(value, sizeof(*value), (void *)address))
		return 1;
	slot->faults += 1;
	return 0;
}

/* For how long the thread could have run and had no CPU. */
inline_always __u64 run_delay_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->sched_info.run_delay))
		return task->sched_info.run_delay;
	return 0;
}

/* For how long the thread has been on a CPU. What the kernel has counted is as old as its last tick,
 * up to 10 ms; but the thread has run ever since it was given the CPU. Where those two don't fit
 * together (other scheduling classes count otherwise), what was counted. */
inline_always __u64 cpu_ns_of(struct task_struct *task, __u64 now)
{
	__u64 counted = task->se.sum_exec_runtime;
	struct scheduler_clock *clock;
	__u64 exact, ran;
	__u32 zero = 0;

	if (!bpf_core_field_exists(task->se.prev_sum_exec_runtime) ||
	    !bpf_core_field_exists(task->sched_info.last_arrival))
		return counted;
	clock = bpf_map_lookup_elem(&scheduler, &zero);
	if (!clock || !clock->ahead_ns)
		return counted;
	ran = less(now, task->sched_info.last_arrival + clock->ahead_ns);
	exact = task->se.prev_sum_exec_runtime + ran;
	return exact > counted && exact - counted < STALE_NS_MAX ? exact : counted;
}

inline_always struct account account_of(struct task_struct *task, __u64 now)
{
	struct account account = {};

	account.cpu_ns = cpu_ns_of(task, now);
	account.run_delay_ns = run_delay_of(task);
	account.faults = task->min_flt + task->maj_flt;
	account.switches = task->nvcsw + task->nivcsw;
	account.waits = task->nvcsw;
	return account;
}

#endif
