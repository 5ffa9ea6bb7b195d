# container.sh FOLDER COMMAND...: run COMMAND, and in a mount namespace (see container.py) give it FOLDER as /opt/ml.
# Without a FOLDER ("") there is no /opt/ml. A /opt that has no /opt/ml is rebuilt on a tmpfs, with everything else
# that lives in it bound back. The name of AWS's first instance, algo-1, is this machine's.
set -e
folder=$1
shift

# Standard input is a pipe from local AWS that is never written to: it ends when local AWS does, even by kill -9, and
# then this whole process group has nobody to answer to.
exec 3<&0 </dev/null
(
    trap '' TERM INT HUP
    read -r _ <&3 || kill -s KILL -- "-$$"
) >/dev/null 2>&1 &
exec 3<&-

if [ -n "$folder" ]; then
    if [ ! -d /opt/ml ]; then
        real=$folder.opt
        mkdir -p "$real"
        mount --rbind /opt "$real"
        mount -t tmpfs tmpfs /opt
        for entry in "$real"/* "$real"/.[!.]*; do
            name=${entry##*/}
            if [ -L "$entry" ]; then
                cp -P "$entry" "/opt/$name"
            elif [ -d "$entry" ]; then
                mkdir "/opt/$name"
                mount --rbind "$entry" "/opt/$name"
            elif [ -e "$entry" ]; then
                : >"/opt/$name"
                mount --bind "$entry" "/opt/$name"
            fi
        done
        mkdir /opt/ml
    fi
    mount --bind "$folder" /opt/ml
    { cat /etc/hosts && echo 127.0.0.1 algo-1; } >"$folder.hosts"
    mount --bind "$folder.hosts" /etc/hosts
fi
exec "$@"
