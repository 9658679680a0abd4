#!/bin/sh
# Installs, upgrades, removes and purges the three packages in a throw-away Debian,
# and runs the demo of what is installed. `make test-deb` builds them first.
set -eu

packages=${1:?the directory with the packages}
skip() {
    echo "skipped: $*"
    exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can make a root directory of another Debian"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"

. /etc/os-release
suite=${VERSION_CODENAME:-stable}
work=$(mktemp -d)
root=$work/root
demo=
cleanup() {
    if [ -n "$demo" ]; then kill "$demo" 2>/dev/null || true; fi
    if mountpoint -q "$root/proc"; then umount -l "$root/proc"; fi
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }

echo "== a Debian $suite"
mmdebstrap --quiet --variant=apt --mode=root "$suite" "$root" >"$work/log" 2>&1 ||
    { cat "$work/log"; skip "no Debian $suite could be fetched"; }
# A Unix socket is put in its place through /proc.
mount -t proc proc "$root/proc" || skip "/proc cannot be mounted in there"
# No service is started in there.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

daemon=$(ls "$packages"/vpp-maglevd_*.deb | tail -n 1)
client=$(ls "$packages"/vpp-maglev_*.deb | tail -n 1)
web=$(ls "$packages"/vpp-maglev-web_*.deb | tail -n 1)
version=$(dpkg-deb -f "$daemon" Version)
[ "$version" = "$(dpkg-deb -f "$client" Version)" ] || fail "the packages differ in version"
mkdir "$root/packages"
cp "$daemon" "$client" "$web" "$root/packages/"

# The same packages under a later version, for an upgrade.
later() {
    dpkg-deb -R "$1" "$work/later"
    sed -i "s/^Version: .*/Version: $version+later/" "$work/later/DEBIAN/control"
    dpkg-deb -Zgzip -z1 -b "$work/later" "$root/packages/$2" >/dev/null
    rm -r "$work/later"
}
later "$daemon" later.deb
later "$web" later-web.deb
later "$client" later-client.deb

echo "== install"
in_root apt-get -qq -o Dpkg::Use-Pty=0 update
in_root sh -c 'apt-get -qqy -o Dpkg::Use-Pty=0 install /packages/vpp-maglev*.deb' >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "install"; }
in_root maglevd --version | grep -q "^maglevd ${version%-*} (commit " || fail "version of maglevd"
in_root maglevt --version | grep -q "^maglevt ${version%-*}" || fail "version of maglevt"
in_root maglevc --version | grep -q "^maglevc ${version%-*}" || fail "version of maglevc"
in_root maglev-web --version | grep -q "^maglev-web ${version%-*}" || fail "version of maglev-web"
in_root id vpp-maglev | grep -q '(vpp)' || fail "the user is not in group vpp"
for file in /etc/vpp-maglev/maglev.yaml /etc/default/vpp-maglev \
    /usr/lib/systemd/system/vpp-maglevd.service /usr/share/man/man8/maglevd.8.gz \
    /usr/lib/systemd/system/vpp-maglev-web.service /usr/share/man/man8/maglev-web.8.gz \
    /etc/default/vpp-maglev-web \
    /usr/share/man/man1/maglevc.1.gz /usr/share/man/man1/maglevt.1.gz /usr/share/bash-completion/completions/maglevc; do
    [ -s "$root$file" ] || fail "$file is not there"
done
# As it is shipped, the configuration is refused, and names what is missing.
if in_root maglevd --check >"$work/log" 2>&1; then fail "an unedited configuration is accepted"; fi
grep -q ipv4-src-address "$work/log" || fail "the fault is not named: $(cat "$work/log")"
in_root sed -i 's/#ipv/ipv/' /etc/vpp-maglev/maglev.yaml
in_root maglevd --check || fail "an edited configuration is refused"

echo "== the demo"
chroot "$root" setpriv --reuid vpp-maglev --regid vpp-maglev --clear-groups \
    maglevd --demo --grpc-addr unix:/tmp/grpc.sock --metrics-addr '' >"$work/demo" 2>&1 &
demo=$!
tries=0
until in_root maglevc --server unix:/tmp/grpc.sock show frontends 2>"$work/log" |
    tee "$work/frontends" | grep -q '\bup\b'; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/demo" "$work/log"; fail "the demo does not come up"; }
    sleep 0.2
done
cat "$work/frontends"
in_root maglevc --server unix:/tmp/grpc.sock show vpp lb state | grep -q 192.0.2 ||
    fail "the demo programs nothing"
kill "$demo"
wait "$demo" || fail "the demo does not end well"
demo=

echo "== the roles of the unit"
listeners=$(sed -n 's/^Environment=MAGLEV_GRPC_ADDR=//p' "$root/usr/lib/systemd/system/vpp-maglevd.service")
mkdir -p "$root/run/vpp-maglev"
in_root chown vpp-maglev:vpp-maglev /run/vpp-maglev
in_root adduser --quiet --system --ingroup vpp-maglev --no-create-home maglev-operator
chroot "$root" setpriv --reuid vpp-maglev --regid vpp-maglev --clear-groups \
    env MAGLEV_GRPC_ADDR="$listeners" maglevd --demo --metrics-addr '' >"$work/demo" 2>&1 &
demo=$!
as() { who=$1; shift; chroot "$root" setpriv --reuid "$who" --regid "$(in_root id -g "$who")" --clear-groups "$@"; }
tries=0
until as maglev-operator maglevc show identity >"$work/log" 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/demo" "$work/log"; fail "the daemon does not come up"; }
    sleep 0.2
done
grep -q '^role *operator$' "$work/log" || { cat "$work/log"; fail "the group does not operate"; }
as nobody maglevc show identity >"$work/log" 2>&1 || { cat "$work/log"; fail "nobody may look"; }
grep -q '^role *viewer$' "$work/log" || { cat "$work/log"; fail "others are no viewers"; }
if as nobody maglevc config reload >"$work/log" 2>&1; then fail "others may operate"; fi
as maglev-operator maglevc config reload >"$work/log" 2>&1 || { cat "$work/log"; fail "the group may not reload"; }

echo "== the page, as a user of the group with a login"
echo 'a long password' | in_root maglev-web passwd --role operator ann || fail "passwd"
[ "$(in_root stat -c '%a %G' /etc/vpp-maglev/web-users)" = '640 vpp-maglev' ] || fail "the service may not read its users"
# Not by "as": a function runs in a shell of its own, which a signal would end in its place.
chroot "$root" setpriv --reuid maglev-operator --regid vpp-maglev --clear-groups \
    env MAGLEV_SERVER=unix:/run/vpp-maglev/maglevd.sock \
    MAGLEV_WEB_USERS=/etc/vpp-maglev/web-users MAGLEV_WEB_LISTEN=127.0.0.1:0 \
    maglev-web --log-format json >"$work/page" 2>&1 &
page=$!
tries=0
until grep -q daemon-connected "$work/page"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/page"; kill "$page"; fail "the page has no daemon"; }
    sleep 0.2
done
kill "$page"
wait "$page" || fail "the page does not end well"

kill "$demo"
wait "$demo" || fail "the daemon does not end well"
demo=
in_root deluser --quiet maglev-operator

echo "== upgrade"
in_root sh -c 'dpkg -i /packages/later*.deb' >"$work/log" 2>&1 || { cat "$work/log"; fail "upgrade"; }
for package in vpp-maglevd vpp-maglev vpp-maglev-web; do
    in_root dpkg-query -W -f '${Version}' $package | grep -q later || fail "$package is not upgraded"
done
grep -q '^ *ipv4-src-address' "$root/etc/vpp-maglev/maglev.yaml" || fail "an edit was lost"
grep -q '^ann:operator:' "$root/etc/vpp-maglev/web-users" || fail "an upgrade takes the users"

echo "== remove"
in_root dpkg -r vpp-maglev vpp-maglevd vpp-maglev-web >"$work/log" 2>&1 || { cat "$work/log"; fail "remove"; }
[ -e "$root/usr/sbin/maglevd" ] && fail "maglevd is left"
[ -s "$root/etc/vpp-maglev/maglev.yaml" ] || fail "a removal takes the configuration"
grep -q '^ann:operator:' "$root/etc/vpp-maglev/web-users" || fail "a removal takes the users"

echo "== purge"
in_root dpkg -P vpp-maglev vpp-maglevd vpp-maglev-web >"$work/log" 2>&1 || { cat "$work/log"; fail "purge"; }
for file in /etc/vpp-maglev /etc/default/vpp-maglev /etc/default/vpp-maglev-web; do
    [ -e "$root$file" ] && fail "$file is left"
done
in_root id vpp-maglev >/dev/null 2>&1 && fail "the user is left"
in_root getent group vpp >/dev/null || fail "the group of VPP is gone"
echo "installed, upgraded, removed and purged: well"
