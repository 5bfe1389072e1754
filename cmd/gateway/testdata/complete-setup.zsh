# Sourced by the zsh of complete.zsh.
PROMPT= RPROMPT=
fpath=($1 $fpath)
autoload -Uz compinit
compinit -u -d $1/dump
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
finished() { print; print DONE }
comppostfuncs=(finished)

compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -A hits "$@"
	local hit
	for hit in $hits; do
		print; print -r -- "HIT $IPREFIX$hit"
	done
	(( $#hits ))
}
print rea''dy
