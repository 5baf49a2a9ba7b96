# A kernel with kTLS: Debian's User-Mode Linux, an ordinary process that needs no rights. For
# it/bin/ktls-vm, after setup.bash and apt.bash.

# Debian's releases and what is taken of each: the kernel and all that it needs, whatever the machine
# has
declare -A suites=([7]=sid [6.12]=trixie [6.1]=bookworm)
packages=(user-mode-linux libc6 busybox-static patchelf libstdc++6 libgcc-s1)

# The kernel's modules to load, where it has them as modules; what they depend on is added.
modules=(ipv6 overlay authenc seqiv ctr gcm ghash-generic ccm chacha_generic chacha poly1305_generic
    chacha20poly1305 tls)

memory=3G

# set_up_kernel NAME: has the kernel in $cache/NAME: linux, busybox, lib, modules
set_up_kernel() {
    local name=$1
    kernel=$cache/$name
    mkdir -p "$cache"
    exec {lock}> "$cache/$name.lock"
    flock "$lock"
    if [[ ! -r $kernel/version ]]; then
        rm -rf "$kernel" "$kernel.new"
        mkdir -p "$kernel.new/packages"
        unpack_packages "${suites[$name]}" "$kernel.new/packages"
        arrange_kernel "$kernel.new"
        rm -rf "$kernel.new/packages"
        mv "$kernel.new" "$kernel"
    fi
    exec {lock}>&-
}

# unpack_packages SUITE FOLDER
unpack_packages() {
    local suite=$1 folder=$2 package
    require dpkg dpkg
    set_up_apt "$folder/apt" deb "$suite"
    for package in "${packages[@]}"; do
        say "getting $package of $suite"
        (cd "$folder" && apt-get -q download "$package/$suite") &> "$folder/log" ||
            die "no package $package in $suite: $(grep -m1 '^E:' "$folder/log")"
    done
    for package in "$folder"/*.deb; do
        dpkg -x "$package" "$folder"
    done
}

# arrange_kernel FOLDER: what a run needs, from the packages unpacked in it
arrange_kernel() {
    local folder=$1 loader dep lib home=$kernel/lib
    mkdir "$folder/lib" "$folder/modules"
    loader=$(find "$folder/packages" -name ld-linux-x86-64.so.2 | head -1)
    for lib in libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1 ld-linux-x86-64.so.2; do
        find "$folder/packages" -path "*/x86_64-linux-gnu/$lib" -exec cp -L {} "$folder/lib/" \;
    done
    cp "$folder/packages/usr/bin/linux.uml" "$folder/linux"
    find "$folder/packages" -path '*bin/busybox' -exec cp {} "$folder/busybox" \;
    "$loader" --library-path "$folder/lib" "$folder/packages/usr/bin/patchelf" \
        --set-interpreter "$home/ld-linux-x86-64.so.2" --set-rpath "$home" "$folder/linux"

    dep=$(find "$folder/packages" -name modules.dep)
    awk -F': *' -v names="${modules[*]}" '
        BEGIN { wanted = split(names, name, " ") }
        {
            module = $1
            sub(/.*\//, "", module)
            sub(/\.ko.*/, "", module)
            path[module] = $1
            needs[module] = $2
        }
        function add(file) { if (!seen[file]++) print file }
        END {
            for (i = 1; i <= wanted; i++) {
                if (!(name[i] in path)) continue
                # what comes last is to be loaded first
                for (j = split(needs[name[i]], need, " "); j > 0; j--) add(need[j])
                add(path[name[i]])
            }
        }' "$dep" | while read -r file; do
        cp "${dep%/*}/$file" "$folder/modules/"
        echo "${file##*/}"
    done > "$folder/modules/order"
    grep -q '^tls\.ko' "$folder/modules/order" || die "the kernel of $suite has no TLS module"
    basename "${dep%/*}" > "$folder/version"
}

# The library to preload into $kernel, if it needs one: User-Mode Linux before 6.13 on a processor with
# AMX. See xstate.c.
preloaded() {
    local source=$root/it/src/main/c/ktls-vm library=$kernel/xstate.so major minor
    IFS=. read -r major minor _ < "$kernel/version"
    if ((major > 6 || (major == 6 && minor >= 13))) || ! grep -qw amx_tile /proc/cpuinfo; then return; fi
    if is_stale "$library" "$source"; then
        require gcc gcc libc6-dev
        gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$library.$$" "$source/xstate.c" -ldl
        mv "$library.$$" "$library"
    fi
    echo "$library"
}

overlays=() # folders in which the machine may write to copies of its own

# run_in_vm SECONDS RESULTS COMMAND...: runs a command in the current folder, the host read-only but
# for RESULTS; its output on stdout. Returns its exit code, 124 if time was up, 125 if the machine
# failed.
run_in_vm() {
    local seconds=$1 results=$2 run status preload
    shift 2
    preload=$(preloaded) || return 125
    run=$(mktemp -d "$cache/run.XXXXXX")
    runs+=("$run")
    cat > "$run/settings" << END
BUSYBOX=$(quote "$kernel/busybox")
MODULES=$(quote "$kernel/modules")
HOST=$(quote "$(uname -n)")
READ=$(quote "$root $cache $java_home ${overlays[*]}")
OVERLAY=$(quote "${overlays[*]}")
RESULTS=$(quote "$results")
END
    cat > "$run/command" << END
export LANG=C.UTF-8
export HOME=$(printf %q "$HOME") PATH=$(printf %q "$PATH") KTLS_VM_RESULTS=$(printf %q "$results")
${JAVA_HOME:+export JAVA_HOME=$(printf %q "$JAVA_HOME")}
cd $(printf %q "$PWD")
exec$(printf ' %q' "$@")
END
    mkfifo "$run/output"
    relay < "$run/output" &
    local relay=$!
    choose_processor
    # Ended by timeout alone, which sees to it that it is gone; a terminal's signals don't reach it.
    TMPDIR=$(memory_folder "$run") setsid timeout -k 5 "$seconds" taskset -c "$processor" \
        env ${preload:+"LD_PRELOAD=$preload"} "$kernel/linux" "mem=$memory" seccomp=on \
        "uml_dir=$run/" root=none rootfstype=hostfs rootflags=/ ro con=null con0=null,fd:1 quiet \
        "init=$kernel/busybox" -- sh "$root/it/src/main/bash/ktls-vm-init.sh" "$run" \
        < /dev/null &> "$run/output" &
    machines+=($!)
    wait $! && status=0 || status=$?
    machines=()
    exec {processor_lock}>&-
    if [[ $status == 124 || $status == 137 ]]; then
        wait $relay || true
        say "not done in $seconds s"
        status=124
    else
        wait $relay && status=0 || status=$?
    fi
    rm -rf "$run"
    return $status
}

# The one processor that a machine's processes share: a system call there is a switch between two of
# them, which costs several times as much from one processor to another. One that no other machine has,
# if there is one; the lock is the machine's.
choose_processor() {
    local free ranges range
    IFS=, read -ra ranges <<< "$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)"
    for range in "${ranges[@]}"; do
        for ((free = ${range%-*}; free <= ${range#*-}; free++)); do
            processor=$free
            exec {processor_lock}> "$cache/processor-$processor.lock"
            if flock -n "$processor_lock"; then return; fi
            exec {processor_lock}>&-
        done
    done
    exec {processor_lock}> /dev/null
}

# Passes on, line by line, what the command in the machine says; returns its exit code.
relay() {
    local line boot= started= status=
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line =~ ^(.*)KTLS_VM_ENDED\ ([0-9]+)(.*)$ ]]; then
            status=${BASH_REMATCH[2]}
            if [[ -n ${BASH_REMATCH[1]} ]]; then printf '%s\n' "${BASH_REMATCH[1]}"; fi
            if [[ -n ${BASH_REMATCH[3]} ]]; then echo "ktls-vm: failed:${BASH_REMATCH[3]}"; fi
        elif [[ $line == KTLS_VM_STARTED* ]]; then
            started=yes
        elif [[ -n $status ]]; then
            : # the kernel's farewell
        elif [[ -n $started ]]; then
            printf '%s\n' "$line"
        else
            boot+=$line$'\n'
        fi
    done
    if [[ -z $started ]]; then printf '%s' "$boot"; fi
    if [[ -z $status ]]; then echo "ktls-vm: the machine ended early"; fi
    return "${status:-125}"
}

# Where the kernel keeps the file that is its memory, sparse and without a name
memory_folder() {
    local needed=$((${memory%G} * 1024 * 1024))
    if [[ $(df -k --output=avail /dev/shm 2> /dev/null | tail -1) -ge $needed ]]; then
        echo /dev/shm
    else
        echo "$1"
    fi
}

machines=()
runs=()
end_machines() {
    if [[ ${#machines[@]} != 0 ]]; then
        kill "${machines[@]}" 2> /dev/null || true
        wait "${machines[@]}" 2> /dev/null || true
    fi
    rm -rf "${runs[@]}"
}
trap end_machines EXIT

# for the shell of busybox
quote() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}
