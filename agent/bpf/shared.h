/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What the kernel side and the agent share: the layout of the maps. `layout.rs` in
 * `agent/src/source/live/ebpf` is its mirror; the array `layout` in the object holds the offsets
 * that the C compiler chose, and a test compares.
 */
#ifndef LOOPSCOPE_SHARED_H
#define LOOPSCOPE_SHARED_H

/* As in loop-core's `buckets.rs`: 32 buckets a factor of two. */
#define SUB_BITS 5
#define SUB_BUCKETS (1 << SUB_BITS)
#define OCTAVES 29
#define BUCKETS (SUB_BUCKETS * (1 + OCTAVES) + 1)
#define TIME_BITS 8
#define LENGTH_BITS SUB_BITS

/* A cookie says which probe was hit, and of which target. */
#define COOKIE_POINT_BITS 8

enum point {
	RUN_TIMERS,
	RUN_IDLE,
	RUN_PREPARE,
	IO_POLL,
	RUN_CHECK,
	DRAIN_START,
	DRAIN_END,
	GC_START,
	GC_END,
};

enum phase {
	TIMERS,
	IDLE,
	PREPARE,
	POLL,
	CHECK,
	PHASES,
	NO_PHASE = PHASES,
};

/* Of the kinds of collection that V8 names, these have a histogram of their own. */
enum collection {
	SCAVENGE,
	MARK_COMPACT,
	OTHER_COLLECTION,
	COLLECTIONS,
};

/* How many stalls a loop keeps. A power of two. */
#define STALLS 64

/* How many loops can be observed, and targets. Their memory is below 8 MiB. */
#define MAX_SLOTS 64
#define MAX_TARGETS 64

/* What is known of a target: libuv's count of events; by probes, when each phase begins; what its
 * threads did from their start on. */
#define KNOWS_EVENTS 1
#define KNOWS_PHASES 2
#define KNOWS_START 4

/* What the kernel side must know of a target: where things lie in its memory. */
struct target {
	__u64 stall_threshold_ns;
	/* How far its clock is ahead of the machine's: it may live in another time namespace. */
	__s64 clock_ahead_ns;
	/* In uv_loop_t. */
	__u32 time;
	__u32 heap_min;
	__u32 internal_fields;
	__u32 idle_handles;
	__u32 prepare_handles;
	/* In the timer, from its node in the heap on. */
	__u32 timeout;
	/* In uv__loop_internal_fields_t. */
	__u32 flags;
	__u32 events;
	__u32 idle_time;
	/* In v8::internal::MicrotaskQueue. */
	__u32 finished_count;
	__u32 knows;
	__u32 pad;
};

struct histogram {
	__u64 sum;
	/* ~0 while empty. */
	__u64 min;
	__u64 max;
	__u64 counts[BUCKETS];
};

/* What the kernel accounts to a thread. */
struct account {
	__u64 cpu_ns;
	__u64 run_delay_ns;
	__u64 faults;
	__u64 switches;
};

/* What a turn is made of, while it runs. Drains and collections without the time in which the
 * thread could have run and had no CPU. */
struct turn {
	__u64 phase_ns[PHASES];
	__u64 microtasks;
	__u64 drain_ns;
	__u64 gc_ns;
	__u64 gc_in_drain_ns;
	/* Entries of other loops on the same thread: a synchronous child process. */
	__u64 nested;
};

/* A turn that lasted at least as long as the threshold. */
struct stall {
	/* Its number, from 1. Written first as 0 and last as itself, so that a reader can tell a
	 * stall that is being written. */
	__u64 number;
	__u64 start_ns;
	__u64 duration_ns;
	struct turn turn;
	struct account account;
};

/* One loop. Written by the loop's own thread only. */
struct slot {
	/* Who. */
	__u32 target;
	__u32 tid;
	__u64 thread;
	__u64 thread_start_ns;
	/* Address of the uv_loop_t; 0 while only its thread is known. */
	__u64 loop;
	__u64 fields;
	/* A loop on the same thread that is not Node's own. */
	__u64 nested_loop;

	/* When the poll was entered last, libuv's idle time then, and the thread's account. */
	__u64 boundary_ns;
	__u64 boundary_idle_ns;
	struct account boundary_account;
	struct turn turn;

	/* The phase that runs, since when, libuv's idle time and its events then, and whether it
	 * has something to run. */
	__u32 phase;
	__u32 phase_runs;
	__u64 phase_start_ns;
	__u64 phase_idle_ns;
	__u64 phase_events;

	/* The drain that runs: since when (0: none), the thread's run delay then, which queue, and
	 * V8's count at its start. */
	__u64 drain_start_ns;
	__u64 drain_delay_ns;
	__u64 queue;
	__u64 drain_base;
	/* The collection that runs. */
	__u64 gc_start_ns;
	__u64 gc_delay_ns;
	__u32 gc_depth;
	__u32 gc_kind;

	/* Totals. */
	__u64 hits;
	__u64 turns;
	__u64 active_ns;
	__u64 idle_ns;
	__u64 microtasks;
	__u64 nested_hits;
	/* Reads of the target's memory that failed: what they were for is not counted. */
	__u64 faults;
	/* Ends without a beginning, or the other way round. */
	__u64 unpaired;
	__u64 stalls;
	__u64 stall_ns;

	struct histogram turn_ns;
	struct histogram poll_wait_ns;
	struct histogram lateness_ns;
	struct histogram phase_ns[PHASES];
	struct histogram drain_length;
	struct histogram drain_ns;
	struct histogram gc_ns[COLLECTIONS];
	struct stall recent[STALLS];
};

/* What belongs to no loop. */
struct losses {
	/* Hits for which no slot was free. */
	__u64 no_slot;
	/* Hits on a thread that could not be remembered. */
	__u64 no_thread;
	/* Hits of a target that isn't known any more. */
	__u64 no_target;
	/* Hits of loops that are not Node's. */
	__u64 foreign;
};

#endif
