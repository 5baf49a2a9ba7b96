/* Features of a network device: the loopback device has the same everywhere. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED 77
#define ACTIVE 1
#define CHANGEABLE 2

int lu_device_feature(const char *device, const char *feature);

static void expect(int expected, const char *device, const char *feature) {
    int actual = lu_device_feature(device, feature);
    if (actual != expected) {
        fprintf(stderr, "feature %s of %s is %d (%s), not %d\n", feature, device, actual,
                actual < 0 ? strerror(-actual) : "no error", expected);
        exit(1);
    }
}

int main(void) {
    expect(-ENODEV, "nosuchdevice", "loopback");
    if (lu_device_feature("lo", "loopback") == -ENODEV) {
        printf("no loopback device here\n");
        return SKIPPED;
    }
    expect(-ENOENT, "lo", "no-such-feature");
    expect(ACTIVE, "lo", "loopback"); /* fixed */
    expect(0, "lo", "tls-hw-tx-offload");
    int segmentation = lu_device_feature("lo", "tx-tcp-segmentation"); /* whether on or off */
    if (segmentation < 0 || (segmentation & CHANGEABLE) == 0) {
        fprintf(stderr, "tx-tcp-segmentation of lo: %d\n", segmentation);
        return 1;
    }
    return 0;
}
