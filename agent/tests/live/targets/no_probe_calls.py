# Runs a program under a filter that kills it for the system calls by which probes on returns, and
# newer probes, come back from it: 335 (uretprobe) and 336 (uprobe) on x86_64.
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000

# The number of the system call is the first field of what the filter is given.
INSTRUCTIONS = [
    (LOAD, 0, 0, 0),
    (JUMP_EQUAL, 2, 0, 335),
    (JUMP_EQUAL, 1, 0, 336),
    (RETURN, 0, 0, ALLOW),
    (RETURN, 0, 0, KILL_PROCESS),
]

code = b"".join(struct.pack("HBBI", *instruction) for instruction in INSTRUCTIONS)
filters = ctypes.create_string_buffer(code, len(code))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.c_void_p)]


program = Program(len(INSTRUCTIONS), ctypes.addressof(filters))
libc = ctypes.CDLL(None, use_errno=True)
for call in [
    (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
    (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
]:
    if libc.prctl(*call) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[1], sys.argv[1:])
