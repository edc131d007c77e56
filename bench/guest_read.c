/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of the guest that bench/filesystems boots: mounts the disk by each of the
 * file systems that it may be, reads it, and says how long that took, a line a
 * number: "mount 1.2" in milliseconds of the guest's clock.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 200000
#define READS 3000
#define LARGE_BYTES 262144

struct file {
	char *path;
	long long size;
};

static struct file files[FILES_MAX];
static size_t file_count;
static unsigned long long seed = 1;
static char buf[1 << 20];

static unsigned int draw(unsigned int below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(seed >> 33) % below;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void forget_cached(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		printf("error drop_caches: %m\n");
	if (fd >= 0)
		close(fd);
}

static void walk(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[4096];
	struct stat st;

	while (d && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			walk(path);
		else if (S_ISREG(st.st_mode) && file_count < FILES_MAX)
			files[file_count++] =
				(struct file){ strdup(path), st.st_size };
	}
	if (d)
		closedir(d);
}

static long long read_whole(const char *path)
{
	int fd = open(path, O_RDONLY);
	long long sum = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		sum += n;
	if (fd >= 0)
		close(fd);
	return sum;
}

static void read_in_order(void)
{
	double start = now_ms();
	long long sum = 0;

	for (size_t i = 0; i < file_count; i++)
		sum += read_whole(files[i].path);
	printf("sequential %.1f\nbytes %lld\n", now_ms() - start, sum);
}

static void read_at_random(void)
{
	double start;
	int fd;

	forget_cached();
	start = now_ms();
	for (int i = 0; i < READS;) {
		const struct file *f = &files[draw((unsigned int)file_count)];

		if (f->size < LARGE_BYTES)
			continue;
		fd = open(f->path, O_RDONLY);
		if (pread(fd, buf, 4096, draw((unsigned int)(f->size - 4096))) <
		    0)
			printf("error pread: %m\n");
		close(fd);
		i++;
	}
	printf("random %.1f\n", now_ms() - start);
}

static void read_small(void)
{
	double start;

	forget_cached();
	start = now_ms();
	for (int i = 0; i < READS;) {
		const struct file *f = &files[draw((unsigned int)file_count)];

		if (f->size >= LARGE_BYTES / 16)
			continue;
		read_whole(f->path);
		i++;
	}
	printf("small %.1f\n", now_ms() - start);
}

/* what a container does first */
static void start_program(void)
{
	double start;
	int status;
	pid_t pid;

	forget_cached();
	start = now_ms();
	pid = fork();
	if (pid == 0) {
		if (chroot("/disk") < 0 || chdir("/") < 0)
			_exit(1);
		execl("/usr/bin/python3", "python3", "-c",
		      "import json, http.client, subprocess", NULL);
		_exit(2);
	}
	waitpid(pid, &status, 0);
	printf("program %.1f\n", now_ms() - start);
	if (status)
		printf("error program: %#x\n", status);
}

static void mount_disk(void)
{
	double start = now_ms();

	if (mount("/dev/vda", "/disk", "squashfs", MS_RDONLY, NULL) < 0 &&
	    mount("/dev/vda", "/disk", "erofs", MS_RDONLY, NULL) < 0)
		printf("error mount: %m\n");
	printf("mount %.1f\n", now_ms() - start);
}

int main(void)
{
	int fd;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/disk", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/dev/ttyS0", O_RDWR);
	dup2(fd, 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("\nkernel %.1f\n", now_ms());
	mount_disk();
	start_program();
	walk("/disk");
	forget_cached();
	read_in_order();
	read_at_random();
	read_small();
	printf("done 0\n");
	reboot(RB_AUTOBOOT);
	return 0;
}
