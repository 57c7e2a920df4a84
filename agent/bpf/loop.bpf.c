// SPDX-License-Identifier: MIT OR GPL-2.0-only
//
// The kernel side of `loopscope attach`: entry probes in libuv and V8, counted into one slot of
// memory for each loop, which the agent maps and reads at any time; and samples of the stacks of
// loops that are held up.
//
// Cost: one program for all points; a hit is one look-up, one to four reads of the target's memory
// and a few stores. Nothing is sent anywhere. A sample is two reads of memory a frame; there is
// none while no turn is longer than a fifth of what makes a stall.
//
// Invariant: only the loop's own thread writes its slot and its samples, so nothing here is atomic.
// Nothing writes into the target.

#include <linux/types.h>
#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "executed.h"
#include "sample.h"
#include "slots.h"

/* The phase that ran until now ends; a poll by the idle time, where that is known. */
inline_always void end_phase(struct hit *hit, struct slot *slot, const __u64 *idle_ns)
{
	__u32 phase = slot->phase;
	__u64 lasted = less(hit->now, slot->phase_start_ns);

	if (phase >= PHASES || !(hit->target->knows & KNOWS_PHASES))
		return;
	if (phase == POLL) {
		if (!idle_ns)
			return;
		lasted = less(lasted, less(*idle_ns, slot->phase_idle_ns));
		if (hit->target->knows & KNOWS_EVENTS) {
			__u64 events;

			if (!read(slot, slot->fields + hit->target->events, &events))
				return;
			slot->turn.events += less(events, slot->phase_events);
			slot->phase_runs = events != slot->phase_events;
		}
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
	__u64 first;

	return read(slot, head, &first) && first != head;
}

/* Node keeps all its timers under one of libuv's, so this is the earliest timer that is due. */
inline_always void run_timers(struct hit *hit, struct slot *slot)
{
	__u64 node, due_ms, now_ms;

	end_phase(hit, slot, 0);
	begin_phase(hit, slot, TIMERS, 0);
	if (!read(slot, slot->loop + hit->target->heap_min, &node) || !node)
		return;
	if (!read(slot, node + hit->target->timeout, &due_ms) ||
	    !read(slot, slot->loop + hit->target->time, &now_ms))
		return;
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
	stall->boundary_ns = slot->boundary_ns;
	stall->turn = slot->turn;
	stall->account.cpu_ns = less(now->cpu_ns, then->cpu_ns);
	stall->account.run_delay_ns = less(now->run_delay_ns, then->run_delay_ns);
	stall->account.faults = less(now->faults, then->faults);
	stall->account.switches = less(now->switches, then->switches);
	stall->account.waits = less(now->waits, then->waits);
	barrier();
	stall->number = number;
	slot->stalls = number;
	slot->stall_ns += lasted;
}

/* How long the turn lasted is not known, nor the one behind it: only both together. */
inline_always void void_boundary(struct slot *slot)
{
	slot->phase = NO_PHASE;
	slot->is_void = 1;
}

/* The poll is entered: the turn that began when the last poll returned is over. */
inline_always void io_poll(struct hit *hit, struct slot *slot)
{
	struct account account;
	__u64 idle_ns;

	if (!read(slot, slot->fields + hit->target->idle_time, &idle_ns)) {
		void_boundary(slot);
		return;
	}
	account = account_of(hit->task, hit->now);
	end_phase(hit, slot, &idle_ns);
	begin_phase(hit, slot, POLL, 1);
	slot->phase_idle_ns = idle_ns;
	if (hit->target->knows & KNOWS_EVENTS &&
	    !read(slot, slot->fields + hit->target->events, &slot->phase_events))
		slot->phase = NO_PHASE;
	if (slot->boundary_ns) {
		__u64 waited = less(idle_ns, slot->boundary_idle_ns);
		__u64 lasted = less(less(hit->now, slot->boundary_ns), waited);

		slot->active_ns += lasted;
		slot->idle_ns += waited;
		if (slot->is_void)
			goto begin;
		slot->turns += 1;
		if (waited)
			record(&slot->poll_wait_ns, waited, TIME_BITS);
		record(&slot->turn_ns, lasted, TIME_BITS);
		if (lasted >= hit->target->stall_threshold_ns)
			keep_stall(slot, hit->now - lasted, lasted, &account);
	}
begin:
	slot->is_void = 0;
	__builtin_memset(&slot->turn, 0, sizeof(slot->turn));
	slot->gc_depth = 0;
	end_drains(slot);
	slot->boundary_account = account;
	slot->boundary_idle_ns = idle_ns;
	slot->boundary_ns = hit->now;
}

inline_always void run_check(struct hit *hit, struct slot *slot)
{
	__u64 idle_ns;

	if (read(slot, slot->fields + hit->target->idle_time, &idle_ns))
		end_phase(hit, slot, &idle_ns);
	/* While there are immediates, Node has an idle handle, so that the poll does not wait. */
	begin_phase(hit, slot, CHECK, holds_handles(slot, hit->target->idle_handles));
}

inline_always void drain_start(struct hit *hit, struct slot *slot, __u64 queue)
{
	if (slot->drain_start_ns) {
		if (slot->queue != queue) {
			slot->drain_depth += 1;
			slot->nested_drains += 1;
			return;
		}
		slot->unpaired += 1;
	}
	slot->drain_depth = 0;
	slot->drain_start_ns = 0;
	slot->queue = queue;
	if (!read(slot, queue + hit->target->finished_count, &slot->drain_base))
		return;
	slot->drain_size = 0;
	if (hit->target->knows & KNOWS_SIZE)
		read(slot, queue + hit->target->queue_size, &slot->drain_size);
	slot->drain_cpu_ns = cpu_ns_of(hit->task, hit->now);
	slot->drain_start_ns = hit->now;
}

inline_always void drain_end(struct hit *hit, struct slot *slot)
{
	__u64 lasted, length, finished;

	if (!slot->drain_start_ns) {
		slot->unpaired += 1;
		return;
	}
	if (slot->drain_depth) {
		slot->drain_depth -= 1;
		return;
	}
	lasted = less(hit->now, slot->drain_start_ns);
	slot->drain_start_ns = 0;
	if (!read(slot, slot->queue + hit->target->finished_count, &finished))
		return;
	length = less(finished, slot->drain_base);
	if (!length)
		return;
	slot->microtasks += length;
	slot->turn.microtasks += length;
	if (length > slot->turn.drain_jobs) {
		slot->turn.drain_jobs = length;
		slot->turn.drain_queued = slot->drain_size;
	}
	slot->turn.drain_cpu_ns += less(cpu_ns_of(hit->task, hit->now), slot->drain_cpu_ns);
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
	slot->gc_cpu_ns = cpu_ns_of(hit->task, hit->now);
	slot->gc_start_ns = hit->now;
}

inline_always void gc_end(struct hit *hit, struct slot *slot)
{
	__u32 kind = slot->gc_kind;
	__u64 lasted, cpu;

	if (!slot->gc_depth) {
		slot->unpaired += 1;
		return;
	}
	slot->gc_depth -= 1;
	if (slot->gc_depth)
		return;
	lasted = less(hit->now, slot->gc_start_ns);
	cpu = less(cpu_ns_of(hit->task, hit->now), slot->gc_cpu_ns);
	slot->turn.gc_ns += less(lasted, less(run_delay_of(hit->task), slot->gc_delay_ns));
	slot->turn.gc_cpu_ns += cpu;
	if (slot->drain_start_ns)
		slot->turn.gc_in_drain_cpu_ns += cpu;
	if (kind < COLLECTIONS)
		record(&slot->gc_ns[kind], lasted, TIME_BITS);
}

/* Node is ready: its program begins, and with it the first turn. What was seen of Node's own start
 * is a part of that only where it has taken as long as a stall, as what is loaded before may. */
inline_always void begin(struct hit *hit, struct slot *slot)
{
	if (slot->turns || less(hit->now, slot->boundary_ns) >= hit->target->stall_threshold_ns)
		return;
	__builtin_memset(&slot->turn, 0, sizeof(slot->turn));
	slot->boundary_account = account_of(hit->task, hit->now);
	slot->boundary_ns = hit->now;
}

/* A point that V8 or Node passes on the thread of its isolate. */
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
	else if (hit->point == GC_END)
		gc_end(hit, slot);
	else
		begin(hit, slot);
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

SEC("perf_event")
int loopscope_sample(struct bpf_perf_event_data *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 index = cookie & ((1 << COOKIE_SAMPLER_BITS) - 1);
	struct sampler *sampler = bpf_map_lookup_elem(&samplers, &index);
	struct sample *sample;
	struct pt_regs *regs;
	__u64 pc, sp, fp;

	if (!sampler)
		return 0;
	/* Those of user space, also where the kernel runs for the thread. */
	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	sample = &sampler->recent[sampler->taken & (SAMPLES - 1)];
	sample->number = 0;
	barrier();
	sample->at_ns = bpf_ktime_get_ns();
	pc = regs->rip;
	sp = regs->rsp;
	fp = regs->rbp;
	/* Else the compiler reads a register and a frame by one instruction, which is refused. */
	barrier_var(pc);
	barrier_var(fp);
	sample->sp = sp;
	sample->pc = pc;
	sample->fp = fp;
	if (bpf_probe_read_user(&sample->top, sizeof(sample->top), (void *)sp))
		sample->top = 0;
	sample->frames = walk(sample, pc, fp, cookie >> COOKIE_SAMPLER_BITS);
	sample->stack_bytes = 0;
	if (sample->frames < CHAIN_MIN &&
	    !bpf_probe_read_user(&sample->frame[CHAIN_MIN], STACK_BYTES, (void *)sp))
		sample->stack_bytes = STACK_BYTES;
	barrier();
	sample->number = sampler->taken + 1;
	sampler->taken += 1;
	return 0;
}

/* Run by the agent, and nowhere attached: when its thread was given the CPU last, by the scheduler's
 * clock, and what the monotonic clock says now. */
SEC("raw_tp/loopscope")
int loopscope_clock(void *ctx __attribute__((unused)))
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scheduler_clock *clock;
	__u32 zero = 0;

	clock = bpf_map_lookup_elem(&scheduler, &zero);
	if (!clock || !bpf_core_field_exists(task->sched_info.last_arrival))
		return 0;
	clock->arrived_ns = task->sched_info.last_arrival;
	clock->now_ns = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
