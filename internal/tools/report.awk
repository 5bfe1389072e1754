# Reads what "go test -v" prints and, as the last line, "exit status N" of it; kept names the file that
# holds it all. Shows each package as it ends; then, for every test that failed, what it said, for every one that was skipped, the reason, and the counts.
# Its own exit status is N, or 1 when something failed nevertheless.

# The test that the following lines belong to.
/^=== (RUN|CONT|NAME|PAUSE) / { test = $3; building = 0; next }

/^ *--- (PASS|FAIL|SKIP): / {
	kind = substr($2, 1, 4); name = $3; test = ""
	count[kind]++
	if (kind == "SKIP") skipped[++skips] = name "\t" reason[name]
	if (kind == "FAIL") { inPackage++; if (said[name] != "") failed[++fails] = name "\t" said[name] }
	next
}

# The end of a package. One that failed without a failing test counts as one: it did not build, or ended early.
/^(ok  |FAIL)\t/ {
	print; fflush()
	if ($1 == "FAIL" && !inPackage) count["FAIL"]++
	if ($1 == "FAIL" && loose != "") failed[++fails] = $2 "\t" loose # a panic, or what a TestMain said
	forget(); next
}
/no test files|^(PASS|FAIL)$|^-test\.shuffle/ { building = 0; next }

# A compiler's complaints come before all that the package itself says.
/^# outrider/ { building = 1 }
building { complaints = complaints "  " $0 "\n"; next }

/^exit status [0-9]+$/ { status = $3; next }

{
	if (test == "") { loose = loose "  " $0 "\n"; next }
	said[test] = said[test] "  " $0 "\n"
	if ($1 ~ /\.go:[0-9]+:$/) { reason[test] = $0; sub(/^[^:]*:[0-9]+: /, "", reason[test]) }
	else if (test in reason) { line = $0; sub(/^ +/, " ", line); reason[test] = reason[test] line }
}

function forget() { split("", said); split("", reason); test = loose = ""; building = inPackage = 0 }

END {
	if (complaints != "") printf "\nwhat did not build:\n%s", complaints
	for (i = 1; i <= fails; i++) { split(failed[i], part, "\t"); printf "\n%s failed and said:\n%s", part[1], substr(failed[i], length(part[1]) + 2) }
	if (skips) print "\nskipped, with the reason:"
	for (i = 1; i <= skips; i++) { split(skipped[i], part, "\t"); printf "  %s: %s\n", part[1], substr(skipped[i], length(part[1]) + 2) }
	if (status && !count["FAIL"]) count["FAIL"] = 1
	if (count["FAIL"]) printf "\nall that was said: %s\n", kept
	printf "\n%d passed, %d failed, %d skipped\n", count["PASS"], count["FAIL"], count["SKIP"]
	exit status ? status : count["FAIL"] > 0
}
