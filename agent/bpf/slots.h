/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Which slot a hit belongs to, by thread and loop.
 */
#ifndef LOOPSCOPE_SLOTS_H
#define LOOPSCOPE_SLOTS_H

#include "count.h"
#include "number.h"

/* Whether this is a loop of Node's own: Node lets those and only those count their idle time.
 * Negative: that can't be read just now. */
inline_always int counts_idle_time(struct hit *hit, __u64 loop)
{
	__u64 fields;
	__u32 flags;

	if (bpf_probe_read_user(&fields, sizeof(fields),
				(void *)(loop + hit->target->internal_fields)))
		return -1;
	if (!fields)
		return 0;
	if (bpf_probe_read_user(&flags, sizeof(flags), (void *)(fields + hit->target->flags)))
		return -1;
	return flags & 1;
}

inline_always struct slot *slot_at(__u32 index)
{
	return bpf_map_lookup_elem(&slots, &index);
}

/* Takes a slot for a thread, and its loop if that is known. Nobody sees it before it is shown. */
static __noinline struct slot *new_slot(struct hit *hit, __u32 *index)
{
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
	slot->tid = number_of(hit->task);
	if (!slot->tid)
		slot->tid = (__u32)hit->thread;
	if (hit->target->knows & KNOWS_START) {
		/* The main program is a turn, too. */
		slot->boundary_ns = hit->now;
		slot->boundary_account = account_of(hit->task, hit->now);
	}
	return slot;
}

/* The thread can't be remembered: the slot was never shown, and is another's. */
inline_always struct slot *give_back(struct slot *slot, __u32 *index)
{
	slot->boundary_ns = 0;
	bpf_map_push_elem(&free_slots, index, BPF_ANY);
	LOST(no_thread);
	return 0;
}

/* By its start the agent knows that a slot is taken: so it is written last, behind all else. */
inline_always struct slot *show(struct hit *hit, struct slot *slot)
{
	barrier();
	slot->thread_start_ns = hit->task->start_boottime;
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
	if (!slot)
		return 0;
	if (bpf_map_update_elem(&threads, &hit->thread, &index, BPF_ANY))
		return give_back(slot, &index);
	return show(hit, slot);
}

/* Returns whether it could be: else it is tried again at the next hit. */
inline_always int adopt(struct hit *hit, struct slot *slot, __u64 loop)
{
	if (!read(slot, loop + hit->target->internal_fields, &slot->fields))
		return 0;
	slot->loop = loop;
	return 1;
}

/* No poll is entered within a drain: one that seems to go on was cut off, as by an exec. */
inline_always void end_drains(struct slot *slot)
{
	slot->drain_start_ns = 0;
	slot->drain_depth = 0;
}

/* The slot of a loop that isn't the first of its thread, if it is Node's own. */
static __noinline struct slot *slot_of_further_loop(struct hit *hit, struct slot *first, __u64 loop)
{
	struct loop_key key = { .thread = hit->thread, .loop = loop };
	__u32 *known = bpf_map_lookup_elem(&further_loops, &key);
	struct slot *slot;
	__u64 fields;
	__u32 index;
	int counts;

	if (known) {
		slot = slot_at(*known);
		if (slot && slot->thread_start_ns == hit->task->start_boottime) {
			if (hit->point == IO_POLL)
				end_drains(first);
			return slot;
		}
	}
	counts = counts_idle_time(hit, loop);
	if (counts < 0) {
		first->faults += 1;
		return 0;
	}
	if (!counts) {
		first->nested_loop = loop;
		first->nested_hits += 1;
		first->turn.nested += 1;
		return 0;
	}
	if (!read(first, loop + hit->target->internal_fields, &fields))
		return 0;
	slot = new_slot(hit, &index);
	if (!slot)
		return 0;
	if (bpf_map_update_elem(&further_loops, &key, &index, BPF_ANY))
		return give_back(slot, &index);
	slot->fields = fields;
	slot->loop = loop;
	return show(hit, slot);
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
	if (counts_idle_time(hit, loop) <= 0) {
		LOST(foreign);
		return 0;
	}
	slot = slot_of_thread(hit);
	return slot && adopt(hit, slot, loop) ? slot : 0;
}

#endif
