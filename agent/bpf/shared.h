/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * What the kernel side and the agent share: the layout of the maps. `slots.rs`, `samples.rs` and
 * `executed.rs` in `agent/src/source/live/ebpf` are its mirror; the array `layout` in the object
 * holds the offsets that the C compiler chose, and a test compares.
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
	BEGIN,
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

/* How many loops can be sampled at once, how many samples each keeps (a power of two), and how many
 * frames of a stack. */
#define SAMPLERS 8
#define SAMPLES 32
#define FRAMES 48

/* A chain of frame pointers that is shorter is none of Node's: then as much of the stack is kept as
 * has room in place of further frames, and by that those are found that have no frame pointer. */
#define CHAIN_MIN 8
#define STACK_BYTES ((FRAMES - CHAIN_MIN) * sizeof(struct frame))

/* A cookie of a sampler says which it is, and where in a JSFunction its SharedFunctionInfo lies. */
#define COOKIE_SAMPLER_BITS 8

/* What is copied around a frame pointer begins so far below it. */
#define FRAME_BELOW 40
/* Which of the words are the function, the frame pointer of the caller, and the return address. */
#define FRAME_FUNCTION 3
#define FRAME_SAVED 5
#define FRAME_RETURN 6
#define FRAME_WORDS 7

/* No frame is larger, as a whole stack of Node's is 8 MiB at most. */
#define FRAME_BYTES_MAX (8 << 20)

/* What the kernel has counted of a thread that runs is not older: the slowest tick is 10 ms. */
#define STALE_NS_MAX 20000000

/* How many executions wait to be looked at, how many ancestors each tells, and how long the name of
 * its file may be. */
#define EXECUTIONS 256
#define ANCESTORS 7
#define FILE_BYTES 96

/* In how many PID namespaces a process can be: the first and 32 below it. */
#define NAMESPACES 33

/* What is known of a target: libuv's count of events; by probes, when each phase begins; what its
 * threads did from their start on; how many microtasks wait. */
#define KNOWS_EVENTS 1
#define KNOWS_PHASES 2
#define KNOWS_START 4
#define KNOWS_SIZE 8

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
	__u32 queue_size;
	__u32 knows;
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
	/* How often it gave its CPU away, and how often that was its own will: it waited. */
	__u64 switches;
	__u64 waits;
};

/* What a turn is made of, while it runs. Of drains the time on a CPU; of collections that and all
 * but the time in which the thread could have run and had no CPU: they wait for V8's own threads. */
struct turn {
	__u64 phase_ns[PHASES];
	/* Events that the poll has handled, where libuv counts them. */
	__u64 events;
	__u64 microtasks;
	/* The longest drain: how many ran in it, and how many waited when it began. */
	__u64 drain_jobs;
	__u64 drain_queued;
	__u64 drain_cpu_ns;
	__u64 gc_ns;
	__u64 gc_cpu_ns;
	__u64 gc_in_drain_cpu_ns;
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
	/* When the poll was entered before it. */
	__u64 boundary_ns;
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

	/* The drain that runs: since when (0: none), the thread's time on a CPU then, which queue,
	 * and V8's count at its start. */
	__u64 drain_start_ns;
	__u64 drain_cpu_ns;
	__u64 queue;
	__u64 drain_base;
	/* How many microtasks waited when it began. */
	__u64 drain_size;
	/* The collection that runs. */
	__u64 gc_start_ns;
	__u64 gc_delay_ns;
	__u64 gc_cpu_ns;
	__u32 gc_depth;
	__u32 gc_kind;
	/* How many drains of other queues run within the drain that runs. */
	__u32 drain_depth;
	/* Whether a poll was entered since the boundary of which libuv's idle time could not be
	 * read: what ends next are several turns. */
	__u32 is_void;

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
	/* Drains of other queues within a drain: what they ran is not counted. */
	__u64 nested_drains;
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

/* A frame of a stack, as it was. The program counter of the innermost, the return address into the
 * others. */
struct frame {
	__u64 pc;
	__u64 fp;
	__u64 words[FRAME_WORDS];
	/* The SharedFunctionInfo of the function, if there is one; else 0 or anything. */
	__u64 shared;
};

/* A stack, innermost frame first. */
struct sample {
	/* As that of a stall. */
	__u64 number;
	__u64 at_ns;
	__u64 pc;
	__u64 sp;
	/* The word that the stack pointer points to: where a function without a frame returns to. */
	__u64 top;
	__u32 frames;
	/* How many bytes from the stack pointer on are kept, behind the first CHAIN_MIN frames. */
	__u32 stack_bytes;
	/* The register of the frame pointer, whatever is in it. */
	__u64 fp;
	struct frame frame[FRAMES];
};

/* The samples of one thread. Written by that thread only. */
struct sampler {
	__u64 taken;
	struct sample recent[SAMPLES];
};

/* The clock by which the kernel schedules, which is not the monotonic one. */
struct scheduler_clock {
	/* How far the monotonic one is ahead; 0: not known. The agent writes it. */
	__s64 ahead_ns;
	__u64 arrived_ns;
	__u64 now_ns;
};

/* A program that a process has begun to execute. Processes are told by their numbers in the agent's
 * PID namespace; 0: it has none there. */
struct executed {
	__u64 at_ns;
	__u32 pid;
	__u32 ancestors[ANCESTORS];
	/* The file: where it was a script, the program that interprets it. */
	char file[FILE_BYTES];
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
	/* Programs that were executed faster than the agent has looked. */
	__u64 executed;
};

#endif
