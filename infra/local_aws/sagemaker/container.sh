# container.sh FOLDER COMMAND...: run COMMAND with FOLDER as /opt/ml, inside a mount namespace of its own (see
# container.py). A /opt without /opt/ml is rebuilt on a tmpfs, with everything else that lives in it bound back.
set -e
folder=$1
shift
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
exec "$@"
