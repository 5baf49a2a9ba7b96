# What surefire's and failsafe's reports say; sourced by commands of it/bin.

# test_cases FILE...: a line for each test: passed, skipped or FAILED, its name, why; tab-separated
test_cases() {
    awk -v RS='<testcase ' '
        function attribute(text, name,   from) {
            if (!match(text, "(^|[ \n])" name "=\"[^\"]*\"")) return ""
            from = substr(text, RSTART, RLENGTH)
            sub(/^[ \n]*[a-z]+="/, "", from)
            sub(/"$/, "", from)
            gsub(/&#(10|9);/, " ", from)
            gsub(/&quot;/, "\"", from)
            gsub(/&lt;/, "<", from)
            gsub(/&gt;/, ">", from)
            gsub(/&amp;/, "\\&", from)
            gsub(/[\t\n]+/, " ", from)
            return from
        }
        FNR > 1 {
            what = "passed"
            why = ""
            sub(/<system-(out|err)>.*/, "")
            if (match($0, /<(skipped|failure|error)[ \/>]/)) {
                what = substr($0, RSTART + 1, RLENGTH - 2) == "skipped" ? "skipped" : "FAILED"
                rest = substr($0, RSTART)
                end = index(rest, ">")
                why = attribute(substr(rest, 1, end), "message")
                if (why == "") { # an assumption: the first line of the stack trace has it
                    why = substr(rest, end + 1)
                    sub(/^<!\[CDATA\[/, "", why)
                    sub(/[\n<].*/, "", why)
                    sub(/^[A-Za-z0-9.]*TestAbortedException: /, "", why)
                    sub(/^Assumption failed: /, "", why)
                }
            }
            class = attribute($0, "classname")
            sub(/.*\./, "", class)
            print what "\t" class "." attribute($0, "name") "\t" why
        }' "$@"
}

# not_passed FILE: those of its lines, which test_cases wrote, as one reads them
not_passed() {
    awk -F'\t' '$1 != "passed" { print $1 ": " $2 ($3 == "" ? "" : " (" substr($3, 1, 200) ")") }' "$1"
}
