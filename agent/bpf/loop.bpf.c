// SPDX-License-Identifier: MIT OR GPL-2.0-only
//
// The kernel side of `loopscope attach`: entry probes in libuv and V8, counted into one slot of
// memory for each loop, which the agent maps and reads at any time.
//
// Cost: one program for all points; a hit is one look-up, one to four reads of the target's memory
// and a few stores. Nothing is sent anywhere.
//
// Invariant: only the loop's own thread writes its slot, so nothing here is atomic. Nothing writes
// into the target.

#include <linux/types.h>
#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "shared.h"

#define OFFSET(type, field) __builtin_offsetof(struct type, field)

/* What of the kernel's own structures is read; the offsets are found when the program is loaded. */
struct sched_entity {
	__u64 sum_exec_runtime;
} __attribute__((preserve_access_index));

struct sched_info {
	unsigned long long run_delay;
} __attribute__((preserve_access_index));

struct task_struct {
	struct sched_entity se;
	struct sched_info sched_info;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	__u64 start_boottime;
} __attribute__((preserve_access_index));

/* The PID namespace of the agent, in which thread ids are told. */
const volatile __u64 pid_namespace_dev;
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

/* Reads eight bytes of the target. What can't be read is counted, and 0. */
inline_always __u64 read(struct slot *slot, __u64 address)
{
	__u64 value = 0;

	if (bpf_probe_read_user(&value, sizeof(value), (void *)address))
		slot->faults += 1;
	return value;
}

/* For how long the thread could have run and had no CPU. */
inline_always __u64 run_delay_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->sched_info.run_delay))
		return task->sched_info.run_delay;
	return 0;
}

inline_always struct account account_of(struct task_struct *task)
{
	struct account account = {};

	account.cpu_ns = task->se.sum_exec_runtime;
	account.run_delay_ns = run_delay_of(task);
	account.faults = task->min_flt + task->maj_flt;
	account.switches = task->nvcsw + task->nivcsw;
	return account;
}

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
		slot->boundary_account = account_of(hit->task);
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

/* The phase that ran until now ends. */
inline_always void end_phase(struct hit *hit, struct slot *slot, __u64 idle_ns)
{
	__u32 phase = slot->phase;
	__u64 lasted = less(hit->now, slot->phase_start_ns);

	if (phase >= PHASES || !(hit->target->knows & KNOWS_PHASES))
		return;
	if (phase == POLL) {
		__u64 waited = less(idle_ns, slot->phase_idle_ns);

		lasted = less(lasted, waited);
		if (hit->target->knows & KNOWS_EVENTS)
			slot->phase_runs =
				read(slot, slot->fields + hit->target->events) != slot->phase_events;
	}
	slot->turn.phase_ns[phase] += lasted;
	if (slot->phase_runs)
		record(&slot->phase_ns[phase], lasted, TIME_BITS);
}

inline_always void begin_phase(struct hit *hit, struct slot *slot, __u32 phase, __u32 runs)
{
	slot->phase = phase;
	slot->phase_runs = runs;
	slot->phase_start_ns = hit->now;
}

/* Whether a list of handles holds one: the head of an empty one points at itself. */
inline_always int holds_handles(struct slot *slot, __u32 offset)
{
	__u64 head = slot->loop + offset;

	return read(slot, head) != head;
}

/* Node keeps all its timers under one of libuv's, so this is the earliest timer that is due. */
inline_always void run_timers(struct hit *hit, struct slot *slot)
{
	__u64 node = read(slot, slot->loop + hit->target->heap_min);
	__u64 due_ms, now_ms;

	end_phase(hit, slot, 0);
	begin_phase(hit, slot, TIMERS, 0);
	if (!node)
		return;
	due_ms = read(slot, node + hit->target->timeout);
	now_ms = read(slot, slot->loop + hit->target->time);
	if (!now_ms || due_ms > now_ms)
		return;
	slot->phase_runs = 1;
	record(&slot->lateness_ns, less(hit->now + hit->target->clock_ahead_ns, due_ms * 1000000),
	       TIME_BITS);
}

inline_always void keep_stall(struct slot *slot, __u64 start_ns, __u64 lasted, struct account *now)
{
	__u64 number = slot->stalls + 1;
	struct stall *stall = &slot->recent[slot->stalls & (STALLS - 1)];
	struct account *then = &slot->boundary_account;

	stall->number = 0;
	barrier();
	stall->start_ns = start_ns;
	stall->duration_ns = lasted;
	stall->turn = slot->turn;
	stall->account.cpu_ns = less(now->cpu_ns, then->cpu_ns);
	stall->account.run_delay_ns = less(now->run_delay_ns, then->run_delay_ns);
	stall->account.faults = less(now->faults, then->faults);
	stall->account.switches = less(now->switches, then->switches);
	barrier();
	stall->number = number;
	slot->stalls = number;
	slot->stall_ns += lasted;
}

/* The poll is entered: the turn that began when the last poll returned is over. */
inline_always void io_poll(struct hit *hit, struct slot *slot)
{
	__u64 idle_ns = read(slot, slot->fields + hit->target->idle_time);
	struct account account = account_of(hit->task);

	end_phase(hit, slot, idle_ns);
	begin_phase(hit, slot, POLL, 1);
	slot->phase_idle_ns = idle_ns;
	if (hit->target->knows & KNOWS_EVENTS)
		slot->phase_events = read(slot, slot->fields + hit->target->events);
	if (slot->boundary_ns) {
		__u64 waited = less(idle_ns, slot->boundary_idle_ns);
		__u64 lasted = less(less(hit->now, slot->boundary_ns), waited);

		slot->turns += 1;
		slot->active_ns += lasted;
		slot->idle_ns += waited;
		if (waited)
			record(&slot->poll_wait_ns, waited, TIME_BITS);
		record(&slot->turn_ns, lasted, TIME_BITS);
		if (lasted >= hit->target->stall_threshold_ns)
			keep_stall(slot, hit->now - lasted, lasted, &account);
	}
	__builtin_memset(&slot->turn, 0, sizeof(slot->turn));
	slot->gc_depth = 0;
	slot->boundary_account = account;
	slot->boundary_idle_ns = idle_ns;
	slot->boundary_ns = hit->now;
}

inline_always void run_check(struct hit *hit, struct slot *slot)
{
	end_phase(hit, slot, read(slot, slot->fields + hit->target->idle_time));
	/* While there are immediates, Node has an idle handle, so that the poll does not wait. */
	begin_phase(hit, slot, CHECK, holds_handles(slot, hit->target->idle_handles));
}

inline_always void drain_start(struct hit *hit, struct slot *slot, __u64 queue)
{
	if (slot->drain_start_ns)
		slot->unpaired += 1;
	slot->queue = queue;
	slot->drain_base = read(slot, queue + hit->target->finished_count);
	slot->drain_delay_ns = run_delay_of(hit->task);
	slot->drain_start_ns = hit->now;
}

inline_always void drain_end(struct hit *hit, struct slot *slot)
{
	__u64 lasted, length;

	if (!slot->drain_start_ns) {
		slot->unpaired += 1;
		return;
	}
	lasted = less(hit->now, slot->drain_start_ns);
	length = less(read(slot, slot->queue + hit->target->finished_count), slot->drain_base);
	slot->drain_start_ns = 0;
	if (!length)
		return;
	slot->microtasks += length;
	slot->turn.microtasks += length;
	slot->turn.drain_ns += less(lasted, less(run_delay_of(hit->task), slot->drain_delay_ns));
	record(&slot->drain_length, length, LENGTH_BITS);
	record(&slot->drain_ns, lasted, TIME_BITS);
}

inline_always void gc_start(struct hit *hit, struct slot *slot, __u32 kind)
{
	slot->gc_depth += 1;
	if (slot->gc_depth > 1)
		return;
	slot->gc_kind = kind < OTHER_COLLECTION ? kind : OTHER_COLLECTION;
	slot->gc_delay_ns = run_delay_of(hit->task);
	slot->gc_start_ns = hit->now;
}

inline_always void gc_end(struct hit *hit, struct slot *slot)
{
	__u32 kind = slot->gc_kind;
	__u64 lasted, ran;

	if (!slot->gc_depth) {
		slot->unpaired += 1;
		return;
	}
	slot->gc_depth -= 1;
	if (slot->gc_depth)
		return;
	lasted = less(hit->now, slot->gc_start_ns);
	ran = less(lasted, less(run_delay_of(hit->task), slot->gc_delay_ns));
	slot->turn.gc_ns += ran;
	if (slot->drain_start_ns)
		slot->turn.gc_in_drain_ns += ran;
	if (kind < COLLECTIONS)
		record(&slot->gc_ns[kind], lasted, TIME_BITS);
}

/* A point that V8 passes on the thread of its isolate. */
inline_always void in_v8(struct hit *hit, struct pt_regs *regs)
{
	struct slot *slot = slot_of_thread(hit);

	if (!slot)
		return;
	slot->hits += 1;
	if (hit->point == DRAIN_START)
		drain_start(hit, slot, PT_REGS_PARM2(regs));
	else if (hit->point == DRAIN_END)
		drain_end(hit, slot);
	else if (hit->point == GC_START)
		gc_start(hit, slot, PT_REGS_PARM2(regs));
	else
		gc_end(hit, slot);
}

/* A function of libuv whose first argument is the loop. */
inline_always void in_libuv(struct hit *hit, struct pt_regs *regs)
{
	struct slot *slot = slot_of_loop(hit, PT_REGS_PARM1(regs));

	if (!slot)
		return;
	slot->hits += 1;
	if (hit->point == IO_POLL) {
		io_poll(hit, slot);
	} else if (hit->point == RUN_TIMERS) {
		run_timers(hit, slot);
	} else if (hit->point == RUN_CHECK) {
		run_check(hit, slot);
	} else if (hit->point == RUN_IDLE) {
		end_phase(hit, slot, 0);
		begin_phase(hit, slot, IDLE, holds_handles(slot, hit->target->idle_handles));
	} else {
		end_phase(hit, slot, 0);
		begin_phase(hit, slot, PREPARE, holds_handles(slot, hit->target->prepare_handles));
	}
}

SEC("uprobe")
int loopscope_hit(struct pt_regs *regs)
{
	__u64 cookie = bpf_get_attach_cookie(regs);
	struct hit hit = {
		.now = bpf_ktime_get_ns(),
		.thread = bpf_get_current_pid_tgid(),
		.point = cookie & ((1 << COOKIE_POINT_BITS) - 1),
		.target_index = cookie >> COOKIE_POINT_BITS,
	};

	hit.target = bpf_map_lookup_elem(&targets, &hit.target_index);
	if (!hit.target || !hit.target->stall_threshold_ns) {
		LOST(no_target);
		return 0;
	}
	hit.task = bpf_get_current_task_btf();
	if (hit.point >= DRAIN_START)
		in_v8(&hit, regs);
	else
		in_libuv(&hit, regs);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
