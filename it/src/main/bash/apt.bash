# Debian's packages, whatever release the machine runs: for commands of it/bin, after setup.bash.

mirror= # where Debian's packages are; empty: what /etc/apt names

# The mirrors that this machine has its own packages from: of apt's sources, both styles, those of
# the release that runs.
mirrors() {
    if [[ -n $mirror ]]; then
        echo "$mirror"
        return
    fi
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    find /etc/apt -maxdepth 2 -name '*.sources' -exec awk -v suite="$codename" -v RS= '{
        uris = ""; found = 0; n = split($0, lines, "\n")
        for (i = 1; i <= n; i++) {
            if (lines[i] ~ /^URIs:/) uris = substr(lines[i], 6)
            if (lines[i] ~ /^Suites:/ && index(lines[i] " ", " " suite " ")) found = 1
        }
        if (found) print uris
    }' {} +
    find /etc/apt -maxdepth 2 -name '*.list' -exec \
        sed -nE "s/^deb +(\[[^]]*\] +)?([^ ]+) +$codename +.*/\2/p" {} +
}

# stanza TYPES URIS SUITES: of apt's sources
stanza() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf '%s\n' "Types: $1" "URIs: $2" "Suites: $3" "Components: main"
    if [[ -r $keyring ]]; then echo "Signed-By: $keyring"; fi
}

# require_mirrors: all of them on one line; ends the command where there is none
require_mirrors() {
    local uris
    uris=$(mirrors | xargs)
    [[ -n $uris ]] || die "no Debian mirror in /etc/apt: name one with --mirror"
    echo "$uris"
}

# set_up_apt FOLDER TYPE SUITES [TYPE SUITES]...: points apt at Debian's packages (deb) or sources
# (deb-src) of suites, with state of its own in FOLDER, so that neither root nor the machine's
# settings are involved. What apt says is in FOLDER/log.
set_up_apt() {
    if [[ -n ${APT_CONFIG:-} ]]; then return; fi
    require apt-get apt
    local apt=$1 uris
    shift
    mkdir -p "$apt"/{sources,state/lists/partial,cache/archives/partial}
    cat > "$apt/apt.conf" << END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::State::lists "$apt/state/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
END
    uris=$(require_mirrors) || exit
    while [[ $# != 0 ]]; do
        stanza "$1" "$uris" "$2"
        echo
        shift 2
    done > "$apt/sources/debian.sources"
    export APT_CONFIG=$apt/apt.conf
    say "reading Debian's package index"
    apt-get -q update &> "$apt/log" || die "apt-get update failed: $(grep -m1 '^[EW]:' "$apt/log" ||
        echo "see $apt/log")"
}
