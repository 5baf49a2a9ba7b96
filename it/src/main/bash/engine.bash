# A Docker engine for tests, and the image that they run; sourced by commands of it/bin, after
# setup.bash and apt.bash.
#
# An engine of ours runs in namespaces of its own (network, mounts, processes): the machine's
# firewall and mounts never know of it, and with the first of its processes the kernel ends them all.

image_release=bookworm
# Beside a minimal system: peers, name servers, and what makes faults.
image_packages=(nginx-light postgresql redis-server knot openssl iproute2 iptables faketime)
image=loom-uring-it/debian:$image_release

engine_folder= # of the engine that start_engine started
engine_pid=    # of the process that is in its network and holds its other processes
engine_group=  # its control groups'
imported=      # whether the image is of this run

# engine_answers URI
engine_answers() {
    command -v docker > /dev/null && timeout 20 docker -H "$1" version > /dev/null 2>&1
}

# Why no engine can be started here, and what to do; nothing if one can.
why_no_engine() {
    local pair missing=()
    if [[ $(uname -s) != Linux ]]; then
        echo "a Docker engine of our own needs Linux"
    elif [[ $(id -u) != 0 ]]; then
        echo "no Docker engine answers, and to start one takes root: run as root, or set DOCKER_HOST"
    else
        for pair in docker=docker.io dockerd=docker.io iptables=iptables unshare=util-linux \
            nsenter=util-linux setpriv=util-linux ip=iproute2; do
            command -v "${pair%%=*}" > /dev/null || missing+=("${pair#*=}")
        done
        if [[ ${#missing[@]} != 0 ]]; then
            echo "no Docker engine answers, and to start one takes packages: apt-get install" \
                "$(printf '%s\n' "${missing[@]}" | sort -u | xargs)"
        fi
    fi
}

# Starts an engine and sets DOCKER_HOST. Its addresses are of a net for benchmarks (RFC 2544), so
# that none meets the machine's.
start_engine() {
    local log=$1 deadline=$((SECONDS + 60))
    engine_folder=$(mktemp -d /tmp/loom-uring-engine.XXXXXX) # short: a socket's path is at most 107
    engine_group=${engine_folder##*/}
    # ended with this command, even if that is killed
    setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private \
        sh -c 'ip link set lo up && exec dockerd "$@"' dockerd \
        --data-root "$engine_folder/data" --exec-root "$engine_folder/exec" \
        --pidfile "$engine_folder/dockerd.pid" -H "unix://$engine_folder/docker.sock" \
        --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs \
        --cgroup-parent "/$engine_group" \
        --bip 198.19.0.1/24 --default-address-pool base=198.18.0.0/16,size=24 \
        > "$log" 2>&1 < /dev/null &
    engine_pid=$!
    export DOCKER_HOST=unix://$engine_folder/docker.sock
    until engine_answers "$DOCKER_HOST"; do
        kill -0 "$engine_pid" 2> /dev/null || die "the Docker engine ended: $(tail -1 "$log")"
        ((SECONDS < deadline)) || die "the Docker engine does not answer, see $log"
        sleep 0.2
    done
}

# Ends the engine that start_engine started, with all that runs in it, and removes what it had.
stop_engine() {
    local child i
    if [[ -n $engine_pid ]]; then
        child=$(ps -o pid= --ppid "$engine_pid" | xargs)
        if [[ -n $child ]]; then kill "$child" 2> /dev/null || true; fi
        for ((i = 0; i < 100; i++)); do
            kill -0 "$engine_pid" 2> /dev/null || break
            sleep 0.2
        done
        kill -KILL "$engine_pid" 2> /dev/null || true
        wait "$engine_pid" 2> /dev/null || true
        engine_pid=
    fi
    if [[ -n $engine_folder ]]; then
        # a control group goes once its processes have
        for ((i = 0; i < 50; i++)); do
            find /sys/fs/cgroup -depth -type d -path "*/$engine_group*" -exec rmdir {} + 2> /dev/null || true
            [[ -n $(find /sys/fs/cgroup -maxdepth 2 -name "$engine_group" -print -quit) ]] || break
            sleep 0.1
        done
        rm -rf "$engine_folder"
        engine_folder=
    fi
}

# in_engine COMMAND...: where the published ports of its containers are on loopback
in_engine() {
    if [[ -n $engine_pid ]]; then
        nsenter -t "$engine_pid" -n "$@"
    else
        "$@"
    fi
}

# image_file CACHE: where the image is kept, by what is in it
image_file() {
    local recipe
    recipe=$(declare -f build_image image_rootfs; echo "$image_release ${image_packages[*]}")
    echo "$1/$image_release-$(sha256sum <<< "$recipe" | cut -c1-12).tar"
}

# What an image can't be built for, and what to do; nothing if it can.
why_no_image() {
    if [[ $(id -u) != 0 ]]; then
        echo "to build the image takes root"
    elif ! command -v debootstrap > /dev/null; then
        echo "to build the image takes a package: apt-get install debootstrap"
    fi
}

# build_image FILE: half a minute. In memory: dpkg waits for the disk after each file.
build_image() {
    local file=$1 uri log=${1%.tar}.log
    mkdir -p "$(dirname "$file")"
    uri=$(require_mirrors) || exit
    uri=${uri%% *}
    unshare --mount --propagation private bash -c "set -euo pipefail
        $(declare -f image_rootfs)"'
        image_rootfs "$@"' image_rootfs "$image_release" "$uri" \
        "$file.part" "${image_packages[@]}" > "$log" 2>&1 ||
        die "the image can't be built: $(grep '^E:' "$log" | tail -1 || tail -1 "$log"), see $log"
    find "$(dirname "$file")" -name "$image_release-*.tar" -delete # older ones
    mv "$file.part" "$file"
}

# image_rootfs RELEASE URI FILE PACKAGE...: in a mount namespace of its own
image_rootfs() {
    local release=$1 uri=$2 file=$3 root=/mnt packages
    shift 3
    packages=$(IFS=, && echo "$*")
    mount -t tmpfs -o size=3g,mode=755 tmpfs "$root"
    debootstrap --variant=minbase --include="$packages" "$release" "$root" "$uri"
    # PostgreSQL compiles queries by LLVM where that is there: 120 MB that nothing here needs
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,info} \
        "$root"/usr/lib/*/libLLVM* "$root"/usr/lib/postgresql/*/lib/{llvmjit*,bitcode} \
        "$root"/var/lib/postgresql/*
    tar -C "$root" -c . > "$file"
}

# import_image FILE: unless the engine has it
import_image() {
    if [[ -n $(docker images -q "$image") ]]; then return; fi
    docker import -c 'CMD ["/bin/bash"]' "$1" "$image" > /dev/null
    imported=yes
}

# remove_run RUN: what a run has left in an engine, which is something only if it was cut short
remove_run() {
    local label=io.loomuring.run=$1
    docker ps -aq --filter "label=$label" | xargs -r docker rm -f > /dev/null
    docker network ls -q --filter "label=$label" | xargs -r docker network rm > /dev/null
    docker images -q --filter "label=$label" | xargs -r docker rmi -f > /dev/null
    if [[ -n $imported ]]; then docker rmi "$image" > /dev/null; fi
}
