/*
 * What a network device can do, by the ioctl that ethtool uses. io.loomuring.abi.Native is the one
 * caller, by JNA, for the doctor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Bits of the answer */
#define ACTIVE 1
#define CHANGEABLE 2

#define FEATURES_MAX 1024 /* the kernel has some 70 */
#define BITS_PER_BLOCK 32

static int ethtool(int fd, const char *device, void *command) {
    struct ifreq request = {.ifr_data = command};
    strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

/* How many features the kernel has names for. */
static int feature_count(int fd, const char *device) {
    struct ethtool_sset_info *sets = calloc(1, sizeof *sets + sizeof sets->data[0]);
    if (sets == NULL) {
        return -ENOMEM;
    }
    sets->cmd = ETHTOOL_GSSET_INFO;
    sets->sset_mask = 1ULL << ETH_SS_FEATURES;
    int count = ethtool(fd, device, sets);
    if (count == 0) {
        count = sets->sset_mask == 0 || sets->data[0] > FEATURES_MAX ? -EOPNOTSUPP
                                                                     : (int)sets->data[0];
    }
    free(sets);
    return count;
}

/* The number of the feature of that name. */
static int feature_index(int fd, const char *device, const char *feature, int count) {
    struct ethtool_gstrings *names =
        calloc(1, sizeof *names + (size_t)count * ETH_GSTRING_LEN);
    if (names == NULL) {
        return -ENOMEM;
    }
    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = (uint32_t)count;
    int index = ethtool(fd, device, names);
    if (index == 0) {
        index = -ENOENT;
        for (int i = 0; i < count; i++) {
            const char *name = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
            if (strncmp(name, feature, ETH_GSTRING_LEN) == 0) {
                index = i;
                break;
            }
        }
    }
    free(names);
    return index;
}

static int feature_state(int fd, const char *device, int index, int count) {
    int blocks = (count + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK;
    struct ethtool_gfeatures *features =
        calloc(1, sizeof *features + (size_t)blocks * sizeof features->features[0]);
    if (features == NULL) {
        return -ENOMEM;
    }
    features->cmd = ETHTOOL_GFEATURES;
    features->size = (uint32_t)blocks;
    int state = ethtool(fd, device, features);
    if (state == 0) {
        const struct ethtool_get_features_block *block =
            &features->features[index / BITS_PER_BLOCK];
        uint32_t bit = 1U << (index % BITS_PER_BLOCK);
        state = ((block->active & bit) != 0 ? ACTIVE : 0) |
                ((block->available & ~block->never_changed & bit) != 0 ? CHANGEABLE : 0);
    }
    free(features);
    return state;
}

EXPORT int lu_device_feature(const char *device, const char *feature) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* any socket will do */
    }
    if (fd < 0) {
        return -errno;
    }
    int state = feature_count(fd, device);
    if (state >= 0) {
        int count = state;
        state = feature_index(fd, device, feature, count);
        if (state >= 0) {
            state = feature_state(fd, device, state, count);
        }
    }
    close(fd);
    return state;
}
