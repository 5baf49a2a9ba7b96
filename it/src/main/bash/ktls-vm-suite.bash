# A suite in it/bin/ktls-vm's machine, where checkout and local repository are writable overlays:
# SECONDS, then Maven's arguments. Its reports and the kernel's counters go to the results.
set -uo pipefail

results=$KTLS_VM_RESULTS
seconds=$1
shift
mkdir "$results/reports"
find . -type d -name '*-reports' -path '*/target/*' -prune -exec rm -rf {} + # the host's

cp /proc/net/tls_stat "$results/tls_stat.before"
# The host has compiled: make is told to do nothing, and a dependency that is a jar now and was a
# folder then is no reason to compile again.
export MAKEFLAGS=--dry-run
timeout -k 5 "$seconds" mvn -o -B -Dformat=skip -Dmaven.compiler.useIncrementalCompilation=false "$@"
status=$?
cp /proc/net/tls_stat "$results/tls_stat.after"
find . -name '*.xml' -path '*/target/*-reports/TEST-*' -exec cp {} "$results/reports" \;
exit $status
