# Prints, a line each, what zsh would offer for a command line: zsh -f complete.zsh DIR LINE. The completion of gateway is in
# DIR/_gateway. A real zsh on a terminal of its own is sent the line and a tab; its compadd tells what it is given.
zmodload zsh/zpty || exit 1
zpty z zsh -f -i

ready() {
	local line
	while zpty -r z line; do
		[[ $line == *ready* ]] && return
	done
}

zpty -w z "source ${(q)0:A:h}/complete-setup.zsh ${(q)1}"
ready
zpty -n -w z "$2"$'\t'
while zpty -r z line; do
	line=${line%$'\r\n'}
	[[ $line == *HIT* ]] && print -r -- "${line##*HIT }"
	[[ $line == *DONE* ]] && break
done
zpty -d z
