/*
 * The front part of Parley's single file for Linux: unpacks the runtime and the program that stand
 * behind it into the user's cache, once, and becomes the runtime.
 *
 * The file: this program, the packed files one after the other, a table of `struct entry`, and a
 * `struct trailer`, written by scripts/package/single_file.ts. Numbers are little-endian.
 *
 * The cache folder is named after the SHA-256 of what is packed. It is filled under another name
 * and renamed when it is complete and on the disk, so that nobody ever sees half of it, and two
 * first starts at the same time do not disturb each other.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "PARLEY\0\1"
#define MAX_FILES 16

struct entry {
  char name[56];
  uint64_t size;
};

struct trailer {
  char hash[64];
  uint64_t files;
  char magic[8];
};

struct package {
  int fd;
  off_t start;
  struct trailer trailer;
  struct entry entries[MAX_FILES];
};

static void fail(const char *doing, const char *what) {
  fprintf(stderr, "Parley cannot start: %s %s: %s\n", doing, what, strerror(errno));
  exit(1);
}

static void refuse(const char *why) {
  fprintf(stderr, "Parley cannot start: %s\n", why);
  exit(1);
}

static void format(char *out, const char *pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  int length = vsnprintf(out, PATH_MAX, pattern, arguments);
  va_end(arguments);
  if (length < 0 || length >= PATH_MAX) refuse("the path of its cache folder is too long; set XDG_CACHE_HOME");
}

static void read_at(int fd, void *to, size_t size, off_t offset) {
  if (pread(fd, to, size, offset) != (ssize_t)size) refuse("its file is not complete; download it again");
}

static void open_package(struct package *package) {
  package->fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (package->fd < 0) fail("opening", "/proc/self/exe (is /proc mounted?)");
  struct stat self;
  if (fstat(package->fd, &self) != 0) fail("reading", "its own file");
  struct trailer *trailer = &package->trailer;
  if (self.st_size < (off_t)sizeof *trailer) refuse("its file is not complete; download it again");
  off_t at = self.st_size - (off_t)sizeof *trailer;
  read_at(package->fd, trailer, sizeof *trailer, at);
  if (memcmp(trailer->magic, MAGIC, sizeof trailer->magic) != 0 || trailer->files > MAX_FILES) {
    refuse("its file is not complete; download it again");
  }
  size_t table = trailer->files * sizeof(struct entry);
  read_at(package->fd, package->entries, table, at - (off_t)table);
  package->start = at - (off_t)table;
  for (uint64_t i = 0; i < trailer->files; i++) {
    package->entries[i].name[sizeof package->entries[i].name - 1] = 0;
    package->start -= (off_t)package->entries[i].size;
  }
  if (package->start < 0) refuse("its file is not complete; download it again");
}

/* Makes a folder that only this user may use. */
static void own_folder(const char *path) {
  if (mkdir(path, 0700) != 0 && errno != EEXIST) fail("making the folder", path);
}

/* A folder for Parley in the user's cache; below /tmp for a user without a home. */
static void cache_folder(char *out) {
  const char *cache = getenv("XDG_CACHE_HOME");
  const char *home = getenv("HOME");
  char parent[PATH_MAX];
  if (cache != NULL && cache[0] == '/') {
    format(parent, "%s", cache);
  } else if (home != NULL && home[0] == '/' && access(home, W_OK) == 0) {
    format(parent, "%s/.cache", home);
  } else {
    format(parent, "/tmp/parley-%u", (unsigned)geteuid());
    own_folder(parent);
    struct stat found;
    if (lstat(parent, &found) != 0) fail("reading", parent);
    if (!S_ISDIR(found.st_mode) || found.st_uid != geteuid() || (found.st_mode & 077) != 0) {
      refuse("its folder in /tmp belongs to somebody else; set XDG_CACHE_HOME to a folder of yours");
    }
  }
  if (mkdir(parent, 0700) != 0 && errno != EEXIST) fail("making the folder", parent);
  format(out, "%s/parley", parent);
  own_folder(out);
  struct stat found;
  if (stat(out, &found) != 0) fail("reading", out);
  if (found.st_uid != geteuid() || (found.st_mode & 022) != 0) {
    refuse("others may write into its cache folder; set XDG_CACHE_HOME to a folder of yours");
  }
}

/* Whether the folder has all files in their size; one that somebody cut is not used. */
static int is_complete(const struct package *package, const char *folder) {
  for (uint64_t i = 0; i < package->trailer.files; i++) {
    char path[PATH_MAX];
    format(path, "%s/%s", folder, package->entries[i].name);
    struct stat found;
    if (stat(path, &found) != 0 || found.st_size != (off_t)package->entries[i].size) return 0;
  }
  return 1;
}

static void remove_folder(const struct package *package, const char *folder) {
  for (uint64_t i = 0; i < package->trailer.files; i++) {
    char path[PATH_MAX];
    format(path, "%s/%s", folder, package->entries[i].name);
    unlink(path);
  }
  rmdir(folder);
}

/* Removes what starts that were killed while they unpacked left: `<hash>.<pid>`. */
static void remove_leftovers(const struct package *package, const char *cache) {
  DIR *listing = opendir(cache);
  if (listing == NULL) return;
  for (struct dirent *item = readdir(listing); item != NULL; item = readdir(listing)) {
    if (strncmp(item->d_name, package->trailer.hash, 64) != 0 || item->d_name[64] != '.') continue;
    pid_t owner = (pid_t)atoi(item->d_name + 65);
    if (owner <= 0 || kill(owner, 0) == 0 || errno != ESRCH) continue;
    char path[PATH_MAX];
    format(path, "%s/%s", cache, item->d_name);
    remove_folder(package, path);
  }
  closedir(listing);
}

static void copy_out(int from, off_t *offset, uint64_t size, const char *path) {
  int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  if (to < 0) fail("writing", path);
  while (size > 0) {
    ssize_t sent = sendfile(to, from, offset, size > (1u << 30) ? (1u << 30) : size);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fail("writing", path);
    if (sent == 0) refuse("its file is not complete; download it again");
    size -= (uint64_t)sent;
  }
  if (fsync(to) != 0 || close(to) != 0) fail("writing", path);
}

static void unpack(const struct package *package, const char *cache, const char *folder) {
  remove_leftovers(package, cache);
  char unfinished[PATH_MAX];
  format(unfinished, "%s.%d", folder, (int)getpid());
  remove_folder(package, unfinished);
  own_folder(unfinished);
  off_t offset = package->start;
  for (uint64_t i = 0; i < package->trailer.files; i++) {
    char path[PATH_MAX];
    format(path, "%s/%s", unfinished, package->entries[i].name);
    copy_out(package->fd, &offset, package->entries[i].size, path);
  }
  if (!is_complete(package, folder)) remove_folder(package, folder);
  if (rename(unfinished, folder) != 0) {
    int why = errno;
    remove_folder(package, unfinished);
    errno = why;
    /* Another first start was quicker. */
    if (!is_complete(package, folder)) fail("making the folder", folder);
  }
}

/* Sets a variable for the runtime; the program puts back what it was, see lib/packaged.ts. */
static void set_for_runtime(const char *name, const char *value) {
  char kept[PATH_MAX];
  format(kept, "PARLEY_KEPT_%s", name);
  const char *before = getenv(name);
  if (setenv(kept, before == NULL ? "" : before, 1) != 0 || setenv(name, value, 1) != 0) {
    fail("setting", name);
  }
}

int main(int argc, char **argv) {
  struct package package;
  open_package(&package);
  char cache[PATH_MAX], folder[PATH_MAX], runtime[PATH_MAX], program[PATH_MAX], deno_dir[PATH_MAX];
  cache_folder(cache);
  format(folder, "%s/%.64s", cache, package.trailer.hash);
  if (!is_complete(&package, folder)) unpack(&package, cache, folder);
  close(package.fd);

  format(runtime, "%s/deno", folder);
  format(program, "%s/parley.js", folder);
  format(deno_dir, "%s/deno-dir", cache);
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) fail("reading", "/proc/self/exe");
  self[length] = 0;
  if (setenv("PARLEY_EXECUTABLE", self, 1) != 0) fail("setting", "PARLEY_EXECUTABLE");
  set_for_runtime("LD_LIBRARY_PATH", folder);
  set_for_runtime("DENO_DIR", deno_dir);
  set_for_runtime("DENO_NO_UPDATE_CHECK", "1");

  /* What every start of the runtime gets; scripts/package/single_file.ts has the reasons. */
  char *fixed[] = {runtime, RUNTIME_ARGUMENTS, program};
  size_t count = sizeof fixed / sizeof fixed[0];
  char **arguments = calloc(count + (size_t)argc + 1, sizeof *arguments);
  if (arguments == NULL) refuse("there is no memory");
  memcpy(arguments, fixed, sizeof fixed);
  for (int i = 1; i < argc; i++) arguments[count + (size_t)i - 1] = argv[i];
  execv(runtime, arguments);
  fail("running", runtime);
}
