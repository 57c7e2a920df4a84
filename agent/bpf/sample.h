/* SPDX-License-Identifier: MIT OR GPL-2.0-only
 *
 * Stacks of JavaScript, by frame pointers.
 */
#ifndef LOOPSCOPE_SAMPLE_H
#define LOOPSCOPE_SAMPLE_H

#include "maps.h"

/* Copies what a frame of JavaScript keeps around its frame pointer, and the one thing that could not
 * be found any more later: functions are moved by the garbage collector. */
inline_always int copy_frame(struct frame *frame, __u64 pc, __u64 fp, __u32 shared_offset)
{
	__u64 function;

	frame->pc = pc;
	frame->fp = fp;
	frame->shared = 0;
	if (bpf_probe_read_user(frame->words, sizeof(frame->words), (void *)(fp - FRAME_BELOW)))
		return -1;
	function = frame->words[FRAME_FUNCTION];
	if (shared_offset && (function & 3) == 1)
		bpf_probe_read_user(&frame->shared, sizeof(frame->shared),
				    (void *)(function - 1 + shared_offset));
	return 0;
}

/* Follows the frame pointers, each of which lies above the one before. */
inline_always __u32 walk(struct sample *sample, __u64 pc, __u64 fp, __u32 shared_offset)
{
	__u32 frames = 0;

	while (frames < FRAMES) {
		struct frame *frame = &sample->frame[frames];
		__u64 above;

		if (!pc || !fp || (fp & 7) || copy_frame(frame, pc, fp, shared_offset))
			break;
		frames += 1;
		above = frame->words[FRAME_SAVED];
		if (above <= fp || above - fp > FRAME_BYTES_MAX)
			break;
		fp = above;
		pc = frame->words[FRAME_RETURN];
	}
	return frames;
}

#endif
