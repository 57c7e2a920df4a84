/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Which slot a hit belongs to, by thread and loop.
 */
#ifndef LOOPSCOPE_SLOTS_H
#define LOOPSCOPE_SLOTS_H

#include "count.h"

/* Whether this is a loop of Node's own: Node lets those and only those count their idle time. */
inline_always int counts_idle_time(struct hit *hit, __u64 loop)
{
	__u64 fields = 0;
	__u32 flags = 0;

	bpf_probe_read_user(&fields, sizeof(fields), (void *)(loop + hit->target->internal_fields));
	bpf_probe_read_user(&flags, sizeof(flags), (void *)(fields + hit->target->flags));
	return fields && (flags & 1);
}

inline_always struct slot *slot_at(__u32 index)
{
	return bpf_map_lookup_elem(&slots, &index);
}

/* Gives a thread, and a loop if it is known, a slot. */
static __noinline struct slot *new_slot(struct hit *hit, __u32 *index)
{
	struct bpf_pidns_info ids = {};
	struct slot *slot;

	if (bpf_map_pop_elem(&free_slots, index)) {
		LOST(no_slot);
		return 0;
	}
	slot = slot_at(*index);
	if (!slot)
		return 0;
	slot->target = hit->target_index;
	slot->thread = hit->thread;
	slot->phase = NO_PHASE;
	slot->thread_start_ns = hit->task->start_boottime;
	if (hit->target->knows & KNOWS_START) {
		/* The main program is a turn, too. */
		slot->boundary_ns = hit->now;
		slot->boundary_account = account_of(hit->task, hit->now);
	}
	if (bpf_get_ns_current_pid_tgid(pid_namespace_dev, pid_namespace_inode, &ids, sizeof(ids)))
		slot->tid = (__u32)hit->thread;
	else
		slot->tid = ids.pid;
	return slot;
}

/* The slot of the thread that was hit; it gets one if it has none. */
inline_always struct slot *slot_of_thread(struct hit *hit)
{
	__u32 *known = bpf_map_lookup_elem(&threads, &hit->thread);
	struct slot *slot;
	__u32 index;

	if (known) {
		slot = slot_at(*known);
		/* Else another thread with this id has come. */
		if (slot && slot->thread_start_ns == hit->task->start_boottime)
			return slot;
	}
	slot = new_slot(hit, &index);
	if (slot && bpf_map_update_elem(&threads, &hit->thread, &index, BPF_ANY)) {
		bpf_map_push_elem(&free_slots, &index, BPF_ANY);
		LOST(no_thread);
		return 0;
	}
	return slot;
}

inline_always void adopt(struct hit *hit, struct slot *slot, __u64 loop)
{
	slot->fields = read(slot, loop + hit->target->internal_fields);
	slot->loop = loop;
}

/* The slot of a loop that isn't the first of its thread, if it is Node's own. */
static __noinline struct slot *slot_of_further_loop(struct hit *hit, struct slot *first, __u64 loop)
{
	struct loop_key key = { .thread = hit->thread, .loop = loop };
	__u32 *known = bpf_map_lookup_elem(&further_loops, &key);
	struct slot *slot;
	__u32 index;

	if (known) {
		slot = slot_at(*known);
		if (slot && slot->thread_start_ns == hit->task->start_boottime)
			return slot;
	}
	if (!counts_idle_time(hit, loop)) {
		first->nested_loop = loop;
		first->nested_hits += 1;
		first->turn.nested += 1;
		return 0;
	}
	slot = new_slot(hit, &index);
	if (!slot)
		return 0;
	if (bpf_map_update_elem(&further_loops, &key, &index, BPF_ANY)) {
		bpf_map_push_elem(&free_slots, &index, BPF_ANY);
		LOST(no_thread);
		return 0;
	}
	adopt(hit, slot, loop);
	return slot;
}

/* The slot of the loop that was hit. */
inline_always struct slot *slot_of_loop(struct hit *hit, __u64 loop)
{
	__u32 *known = bpf_map_lookup_elem(&threads, &hit->thread);
	struct slot *slot = 0;

	if (known)
		slot = slot_at(*known);
	if (slot && slot->thread_start_ns == hit->task->start_boottime) {
		if (slot->loop == loop)
			return slot;
		if (slot->nested_loop == loop) {
			slot->nested_hits += 1;
			slot->turn.nested += 1;
			return 0;
		}
		if (slot->loop)
			return slot_of_further_loop(hit, slot, loop);
	}
	if (!counts_idle_time(hit, loop)) {
		LOST(foreign);
		return 0;
	}
	slot = slot_of_thread(hit);
	if (slot)
		adopt(hit, slot, loop);
	return slot;
}

#endif
