// Libc-files: the calls on files, on memory that has a name, and on their locks.
//
// Needs: a way to call C, the constants of system.
//
// Where a file ends is asked for by lseek: what fstat fills in has another form on each system, and older C libraries have no
// function of that name. Nobody else uses the descriptor's own place in the file.

import { refused } from "./errors.ts";
import type { Call, Foreign } from "./foreign.ts";
import type { Constants, FileCalls } from "./system.ts";

// The same on Linux and macOS.
const OPEN_READ_WRITE = 2;
const SEEK_END = 2;
const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;
const LOCK_RELEASE = 8;
const EINTR = 4;
const OWNER_ONLY = 0o600;

export function bindFiles(way: Foreign, constants: Constants): FileCalls {
  return {
    ...bindBytes(way),
    ...bindLength(way),
    ...bindLocks(way, constants),
    ...bindNames(way, constants),
  };
}

/** The call, again while a signal has cut it short. Throws an OsError when it fails. */
function patient(way: Foreign, name: string, call: Call<number>): Call<number> {
  return (...values) => {
    for (;;) {
      const result = call(...values);
      if (result >= 0) return result;
      const errno = way.errno();
      if (errno !== EINTR) throw refused(name, errno);
    }
  };
}

function bindBytes(way: Foreign): Pick<FileCalls, "read" | "write" | "flush"> {
  const pread = patient(way, "pread", way.number("long", "pread", "int", "bytes", "long", "long"));
  const pwrite = patient(way, "pwrite", way.number("long", "pwrite", "int", "bytes", "long", "long"));
  const fsync = patient(way, "fsync", way.number("int", "fsync", "int"));
  return {
    read: (descriptor, bytes, from) => {
      let done = 0;
      while (done < bytes.length) {
        const got = pread(descriptor, bytes.subarray(done), bytes.length - done, from + done);
        if (got === 0) break;
        done += got;
      }
      return done;
    },
    write: (descriptor, bytes, to) => {
      for (let done = 0; done < bytes.length; )
        done += pwrite(descriptor, bytes.subarray(done), bytes.length - done, to + done);
    },
    flush: (descriptor) => {
      fsync(descriptor);
    },
  };
}

function bindLength(way: Foreign): Pick<FileCalls, "length" | "setLength" | "allocate"> {
  const lseek = patient(way, "lseek", way.number("long", "lseek", "int", "long", "int"));
  const ftruncate = patient(way, "ftruncate", way.number("int", "ftruncate", "int", "long"));
  // Not on macOS, where files have holes and a full disk shows when it is written.
  const fallocate =
    process.platform === "linux" ? way.number("int", "posix_fallocate", "int", "long", "long") : undefined;
  return {
    length: (descriptor) => lseek(descriptor, 0, SEEK_END),
    setLength: (descriptor, bytes) => {
      ftruncate(descriptor, bytes);
    },
    allocate: (descriptor, offset, bytes) => {
      if (fallocate === undefined) return true;
      let status = fallocate(descriptor, offset, bytes);
      while (status === EINTR) status = fallocate(descriptor, offset, bytes);
      return status === 0;
    },
  };
}

function bindLocks(way: Foreign, constants: Constants): Pick<FileCalls, "lock" | "unlock" | "close"> {
  const flock = way.number("int", "flock", "int", "int");
  const close = way.number("int", "close", "int");
  return {
    lock: (descriptor, wait) => {
      const operation = LOCK_EXCLUSIVE | (wait ? 0 : LOCK_NO_WAIT);
      while (flock(descriptor, operation) !== 0) {
        const errno = way.errno();
        if (errno === constants.wouldBlock) return false;
        if (errno !== EINTR) throw refused("flock", errno);
      }
      return true;
    },
    unlock: (descriptor) => {
      flock(descriptor, LOCK_RELEASE);
    },
    close: (descriptor) => {
      // A mapping of the file, until it is gone, would keep the lock.
      flock(descriptor, LOCK_RELEASE);
      close(descriptor);
    },
  };
}

function bindNames(
  way: Foreign,
  constants: Constants,
): Pick<FileCalls, "open" | "openShared" | "unlinkShared"> {
  const open = way.number("int", "open", "text", "int");
  const shmOpen = way.number("int", "shm_open", "text", "int", "int");
  const shmUnlink = way.number("int", "shm_unlink", "text");
  return {
    open: (path) => patient(way, `open of ${path}`, open)(path, OPEN_READ_WRITE | constants.openOwn),
    openShared: (name, create) => {
      const flags = OPEN_READ_WRITE | (create ? constants.openCreate | constants.openExclusive : 0);
      const descriptor = shmOpen(name, flags, OWNER_ONLY);
      if (descriptor >= 0) return descriptor;
      const error = refused(`shm_open of ${name}`, way.errno());
      if (error.code === (create ? "EEXIST" : "ENOENT")) return undefined;
      throw error;
    },
    unlinkShared: (name) => {
      if (shmUnlink(name) === 0) return true;
      const error = refused(`shm_unlink of ${name}`, way.errno());
      if (error.code === "ENOENT") return false;
      throw error;
    },
  };
}
