/* T-338: the stored octets were written by us alone, and nobody else ever holds a writable descriptor of them. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "smtp/session/octets.h"

static int root;

static int names_in_tmp(void)
{
    int fd = openat(root, "07/tmp", O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int names = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        names += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return names;
}

static void small_stays_in_memory(void **unused)
{
    (void)unused;
    struct octets *o = octets_new(root, 7);
    assert_ok(octets_put(o, S("a\0b")));
    assert_ok(octets_put(o, S("c")));
    assert_ok(octets_seal(o));
    assert_slice("a\0bc", octets_memory(o));
    assert_int_equal(0, names_in_tmp());
    int fd;
    assert_ok(octets_fd(o, &fd)); /* another keeper wants it */
    char back[8];
    assert_int_equal(4, pread(fd, back, sizeof back, 0));
    assert_memory_equal("a\0bc", back, 4);
    assert_int_equal(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
    assert_int_equal(-1, write(fd, "x", 1));
    assert_int_equal(0, names_in_tmp());
    octets_unref(&o);
}

static void large_goes_to_a_nameless_file(void **unused)
{
    (void)unused;
    struct octets *o = octets_new(root, 7);
    static char chunk[50000];
    for (int i = 0; i < 10; i++) {
        memset(chunk, 'a' + i, sizeof chunk);
        assert_ok(octets_put(o, slice_of(chunk, sizeof chunk)));
    }
    assert_int_equal(1, names_in_tmp());
    assert_ok(octets_seal(o));
    assert_int_equal(0, names_in_tmp());
    assert_null(octets_memory(o).p);
    assert_int_equal(500000, octets_size(o));
    int fd;
    assert_ok(octets_fd(o, &fd));
    for (int i = 0; i < 10; i++) {
        char c;
        assert_int_equal(1, pread(fd, &c, 1, i * 50000 + 49999));
        assert_int_equal('a' + i, c);
    }
    octets_unref(&o);
}

static void cut_leaves_nothing(void **unused)
{
    (void)unused;
    struct octets *o = octets_new(root, 7);
    static char chunk[LIMIT_INLINE_MAX + 1];
    assert_ok(octets_put(o, slice_of(chunk, sizeof chunk)));
    assert_int_equal(1, names_in_tmp());
    octets_unref(&o);
    assert_int_equal(0, names_in_tmp());
    /* what a killed keeper left is swept, and only that */
    assert_int_equal(0, close(openat(root, "07/tmp/arriving-dead", O_CREAT | O_WRONLY, 0600)));
    assert_int_equal(0, close(openat(root, "07/tmp/other", O_CREAT | O_WRONLY, 0600)));
    octets_sweep(root, 7);
    assert_int_equal(1, names_in_tmp());
    assert_int_equal(0, unlinkat(root, "07/tmp/other", 0));
}

static void hostile_descriptors(void **unused)
{
    (void)unused;
    struct octets *o = NULL;
    int made = openat(root, "file", O_CREAT | O_RDWR | O_TRUNC, 0600);
    assert_int_equal(3, write(made, "abc", 3));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, "file", O_RDWR), 3, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, "file", O_WRONLY), 3, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, "file", O_RDONLY), 4, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, "file", O_RDONLY), 2, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, ".", O_RDONLY | O_DIRECTORY), 0, &o));
    int pair[2];
    assert_int_equal(0, pipe(pair));
    close(pair[1]);
    assert_err(ERR_PROTOCOL, octets_of_fd(pair[0], 0, &o));
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    close(pair[1]);
    assert_err(ERR_PROTOCOL, octets_of_fd(pair[0], 0, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(open("/dev/null", O_RDONLY), 0, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(open("/dev/zero", O_RDONLY), 3, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(memfd_create("octets", MFD_CLOEXEC), 0, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(socket(AF_UNIX, SOCK_DGRAM, 0), 0, &o));
    assert_err(ERR_PROTOCOL, octets_of_fd(openat(root, "file", O_RDONLY), UINT64_MAX, &o));
    assert_null(o);
    assert_ok(octets_of_fd(openat(root, "file", O_RDONLY), 3, &o));
    /* its sender cuts the file: a short read is an error, and no signal */
    assert_int_equal(0, ftruncate(made, 0));
    char c;
    int fd;
    assert_ok(octets_fd(o, &fd));
    assert_int_equal(0, pread(fd, &c, 1, 0));
    octets_unref(&o);
    close(made);
    report_threat("T-338", 14);
}

int main(void)
{
    char folder[] = "/tmp/letterlock-octets-XXXXXX";
    if (!mkdtemp(folder))
        return 1;
    root = open(folder, O_RDONLY | O_DIRECTORY);
    mkdirat(root, "07", 0700);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_stays_in_memory),
        cmocka_unit_test(large_goes_to_a_nameless_file),
        cmocka_unit_test(cut_leaves_nothing),
        cmocka_unit_test(hostile_descriptors),
    };
    int failed = cmocka_run_group_tests_name("smtp/session/octets", tests, NULL, NULL);
    unlinkat(root, "file", 0);
    unlinkat(root, "07/tmp", AT_REMOVEDIR);
    unlinkat(root, "07", AT_REMOVEDIR);
    rmdir(folder);
    return failed;
}
