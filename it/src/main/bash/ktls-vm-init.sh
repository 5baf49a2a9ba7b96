# The first process of it/bin/ktls-vm's machine, in busybox's shell. Its argument is the folder of
# this run, which holds
#   settings   variables: BUSYBOX, MODULES (a folder, its file "order" lists them), HOST (its name),
#              READ (folders to see), OVERLAY (folders that seem writable: the
#              machine keeps in memory what is written) and RESULTS (the one folder to write)
#   command    what to run, in bash
# The root is the host's, read-only. The last line says how the command ended.

run=$1
. "$run/settings"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

finish() {
    echo "KTLS_VM_ENDED $1"
    $BUSYBOX sync
    $BUSYBOX poweroff -f
    exit
}

try() {
    "$@" || finish "125 $*"
}

mount_fs() { # TYPE FOLDER [OPTIONS]
    try $BUSYBOX mkdir -p "$2"
    try $BUSYBOX mount -t "$1" ${3:+-o "$3"} "$1" "$2"
}

mount_fs proc /proc
$BUSYBOX grep -q '^[^ ]* /dev ' /proc/mounts || mount_fs devtmpfs /dev
exec < /dev/console > /dev/console 2>&1
# Where it lies may be covered soon.
$BUSYBOX cp "$BUSYBOX" /dev/busybox && BUSYBOX=/dev/busybox
$BUSYBOX stty -opost # or each \n becomes \r\n
echo KTLS_VM_STARTED
mount_fs sysfs /sys
mount_fs devpts /dev/pts
mount_fs tmpfs /dev/shm mode=1777
mount_fs tmpfs /run
mount_fs tmpfs /tmp mode=1777
$BUSYBOX ln -s /proc/self/fd /dev/fd

# What lies in a folder covered just now is mounted again.
for folder in $READ; do
    mount_fs hostfs "$folder" "ro,$folder"
done

for folder in "" $READ; do
    if (: > "$folder/.written-by-ktls-vm") 2> /dev/null; then
        $BUSYBOX rm "$folder/.written-by-ktls-vm"
        finish "125 could write to the host's $folder/"
    fi
done

$BUSYBOX hostname "$HOST"
try $BUSYBOX ip link set lo up
while read -r module; do
    try $BUSYBOX insmod "$MODULES/$module"
done < "$MODULES/order"

for folder in $OVERLAY; do
    upper=/run/overlay$folder/upper
    work=/run/overlay$folder/work
    try $BUSYBOX mkdir -p "$upper" "$work"
    mount_fs overlay "$folder" "lowerdir=$folder,upperdir=$upper,workdir=$work"
done
mount_fs hostfs "$RESULTS" "rw,$RESULTS"

bash "$run/command" < /dev/null
status=$?
finish $status
