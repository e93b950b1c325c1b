# One program with Criterion per file, tests/unit/test-NAME.c: to add one, add
# a line.
unit_tests = \
	tests/unit/test-agent \
	tests/unit/test-aggregate \
	tests/unit/test-aggregate-sketch \
	tests/unit/test-bitpack \
	tests/unit/test-archive \
	tests/unit/test-archive-file \
	tests/unit/test-capture \
	tests/unit/test-classifier \
	tests/unit/test-cli \
	tests/unit/test-command \
	tests/unit/test-command-query \
	tests/unit/test-conversations \
	tests/unit/test-formula \
	tests/unit/test-join \
	tests/unit/test-cpus \
	tests/unit/test-config \
	tests/unit/test-dp-observer \
	tests/unit/test-expr \
	tests/unit/test-fields \
	tests/unit/test-header-log \
	tests/unit/test-headers \
	tests/unit/test-lanes \
	tests/unit/test-jobs \
	tests/unit/test-multilog \
	tests/unit/test-output \
	tests/unit/test-pcap-filter \
	tests/unit/test-pcapng \
	tests/unit/test-ports \
	tests/unit/test-preset \
	tests/unit/test-query \
	tests/unit/test-query-functions \
	tests/unit/test-query-groups \
	tests/unit/test-query-pages \
	tests/unit/test-scan \
	tests/unit/test-sealed \
	tests/unit/test-sketch \
	tests/unit/test-select \
	tests/unit/test-store \
	tests/unit/test-stream \
	tests/unit/test-stream-record \
	tests/unit/test-time \
	tests/unit/test-trigger

# One program with a main() of its own per file: to add one, add a line, and
# one to TESTS below if "make check" shall run it.
plain_tests = \
	tests/bench/bench-archive \
	tests/bench/bench-cut \
	tests/bench/bench-digest \
	tests/bench/bench-memory \
	tests/bench/bench-query \
	tests/bench/bench-recovery \
	tests/bench/bench-sealed \
	tests/bench/bench-trigger \
	tests/capture-archive \
	tests/compare-pcap-filter \
	tests/fuzz/fuzz-archive \
	tests/fuzz/fuzz-expr \
	tests/fuzz/fuzz-headers \
	tests/fuzz/fuzz-sealed \
	tests/fuzz/fuzz-sketch \
	tests/run-queries \
	tests/stress/stress-crash \
	tests/stress/stress-cut \
	tests/stress/stress-history \
	tests/stress/stress-ring

tests_stress_stress_crash_SOURCES = \
	tests/stress/stress-crash.c \
	tests/stress/stress.h
tests_stress_stress_history_SOURCES = \
	tests/stress/history-derived.c \
	tests/stress/history-rows.c \
	tests/stress/history.c \
	tests/stress/history.h \
	tests/stress/stress-history.c \
	tests/stress/stress-history.h \
	tests/stress/stress.h
tests_stress_stress_ring_SOURCES = \
	tests/stress/stress-ring.c \
	tests/stress/stress.h

test_programs = $(plain_tests)
TESTS += tests/fuzz/fuzz-expr tests/fuzz/fuzz-sealed tests/fuzz/fuzz-sketch
if HAVE_CRITERION
test_programs += $(unit_tests)
TESTS += $(unit_tests)
endif
check_PROGRAMS += $(test_programs)
test_objects = \
	$(test_programs:=.$(OBJEXT)) \
	$(tests_stress_stress_history_OBJECTS)

LDADD = lib/libmultilog.a $(CRITERION_LIBS)
tests_bench_bench_archive_LDADD = lib/libmultilog.a
tests_bench_bench_cut_LDADD = lib/libmultilog.a -lm
tests_bench_bench_digest_LDADD = lib/libmultilog.a -lm
tests_bench_bench_memory_LDADD = lib/libmultilog.a -lm
tests_bench_bench_query_LDADD = lib/libmultilog.a -lm
tests_bench_bench_recovery_LDADD = lib/libmultilog.a -lm
tests_bench_bench_sealed_LDADD = lib/libmultilog.a
tests_bench_bench_trigger_LDADD = lib/libmultilog.a -lm
tests_compare_pcap_filter_LDADD = lib/libmultilog.a
tests_capture_archive_LDADD = lib/libmultilog.a
tests_fuzz_fuzz_archive_LDADD = lib/libmultilog.a
tests_fuzz_fuzz_expr_LDADD = lib/libmultilog.a
tests_fuzz_fuzz_headers_LDADD = lib/libmultilog.a
tests_fuzz_fuzz_sealed_LDADD = lib/libmultilog.a
tests_fuzz_fuzz_sketch_LDADD = lib/libmultilog.a
tests_run_queries_LDADD = lib/libmultilog.a
tests_stress_stress_crash_LDADD = lib/libmultilog.a
tests_stress_stress_cut_LDADD = lib/libmultilog.a
tests_stress_stress_history_LDADD = lib/libmultilog.a
tests_stress_stress_ring_LDADD = lib/libmultilog.a

# Autotest: tests/at on the modified ovs-vswitchd with dummy ports.  "make
# check" runs it; alone, with the options that "tests/testsuite --help" lists:
#     make check-at TESTSUITEFLAGS='-k drops'
at_files = \
	tests/at/aggregator.at \
	tests/at/testsuite.at \
	tests/at/multilog-macros.at \
	tests/at/capture.at \
	tests/at/cli.at \
	tests/at/commands.at \
	tests/at/digest.at \
	tests/at/query.at \
	tests/at/jobs.at \
	tests/at/pcap-filter.at \
	tests/at/drops-datapath.at \
	tests/at/drops-pipeline.at \
	tests/at/drops-tunnel.at \
	tests/at/drops.at \
	tests/at/joins.at \
	tests/at/preset.at \
	tests/at/ovsdb.at \
	tests/at/multilogctl.at \
	tests/at/rbac.at \
	tests/at/stream.at \
	tests/at/archive.at \
	tests/at/survival.at \
	tests/at/threads.at
EXTRA_DIST += $(at_files)
CLEANFILES += tests/testsuite tests/package.m4
TESTSUITEFLAGS =

tests/package.m4: $(top_srcdir)/configure.ac
	$(AM_V_GEN){ echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])'; \
		echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])'; \
		echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])'; \
		echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])'; \
		echo 'm4_define([AT_PACKAGE_BUGREPORT], [])'; } > $@
tests/testsuite: $(at_files) tests/package.m4 ovs/patched.stamp
	$(AM_V_GEN)autom4te --language=autotest --cache=tests/autom4te.cache \
		-I tests -I '$(srcdir)/tests/at' -I '$(OVS_PATCHED)' \
		-o $@.tmp '$(srcdir)/tests/at/testsuite.at'
	$(AM_V_at)mv $@.tmp $@
check-at: all-local tests/testsuite
	MLOG_SOURCE='$(abs_top_srcdir)' \
	MLOG_UTILITIES='$(abs_top_builddir)/utilities' \
		$(srcdir)/tests/run-autotest \
		tests/at-run ovs/patched tests/testsuite $(TESTSUITEFLAGS)
check-local: check-at
clean-local:
	rm -rf tests/autom4te.cache tests/at-run

# Open vSwitch's own suite on the modified ovs-vswitchd; which tests:
#     make check-ovs OVSTESTS='KEYWORD...'        or OVSTESTS=all
check-ovs: all-local
	$(srcdir)/tests/check-ovs ovs

# The stress programs under the thread sanitizer, which needs all that they
# link with compiled for it.  It sees neither streaming stores, so capture is
# made to do without, nor a memcpy() that the compiler expands.
tsan_programs = \
	tests/stress/stress-cut-tsan \
	tests/stress/stress-history-tsan \
	tests/stress/stress-ring-tsan
tsan_objects = $(patsubst %.c,tests/tsan/%.o, \
	$(filter %.c,$(lib_libmultilog_a_SOURCES)))
tests/tsan/%.o: $(top_srcdir)/%.c $(wildcard $(top_srcdir)/lib/*.h \
		$(top_srcdir)/tests/stress/*.h) ovs/patched.stamp
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_CC)$(CC) $(DEFS) $(AM_CPPFLAGS) $(WARN_CFLAGS) -Wno-tsan -O1 -g \
		-fsanitize=thread -fno-builtin \
		'-D__builtin_cpu_supports(FEATURE)=0' -c -o $@ $<
tests/tsan/libmultilog.a: $(tsan_objects)
	$(AM_V_AR)rm -f $@ && $(AR) cr $@ $(tsan_objects)
tests/stress/stress-history-tsan: \
	tests/tsan/tests/stress/history-derived.o \
	tests/tsan/tests/stress/history-rows.o \
	tests/tsan/tests/stress/history.o
$(tsan_programs): tests/stress/%-tsan: tests/tsan/tests/stress/%.o \
		tests/tsan/libmultilog.a
	$(AM_V_CCLD)$(CC) -fsanitize=thread -o $@ $(filter %.o,$^) \
		tests/tsan/libmultilog.a @ovs/link.flags $(ZSTD_LIBS) \
		$(PCAP_LIBS)
CLEANFILES += $(tsan_programs)
clean-local: clean-tsan
clean-tsan:
	rm -rf tests/tsan
.PHONY: clean-tsan

EXTRA_DIST += \
	tests/bench/bench-datapath \
	tests/bench/bench-ovsdb \
	tests/bench/bench-log.h \
	tests/bench/bench-util.h \
	tests/capture-records.h \
	tests/check-errors \
	tests/check-ovs \
	tests/cli-terminal \
	tests/codespell-ignore \
	tests/compare-queries \
	tests/compare-tshark \
	tests/pcap-filters \
	tests/dump-test \
	tests/log-append.h \
	tests/query_captures.py \
	tests/query_reference.py \
	tests/cppcheck-suppressions \
	tests/model/capture.pml \
	tests/model/commit.pml \
	tests/model/log.pml \
	tests/model/run \
	tests/record-session \
	tests/run \
	tests/run-autotest \
	tests/sandbox-test \
	tests/soak \
	tests/system-test \
	tests/system/counters.sh \
	tests/system/drops.sh \
	tests/system/hostile.sh \
	tests/system/ipv6.sh \
	tests/system/lib.sh \
	tests/system/ping.sh \
	tests/system/tcp.sh \
	tests/system/vlan.sh \
	tests/unit/archive-fixture.h \
	tests/unit/command-fixture.h \
	tests/unit/records.h \
	tests/unit/stream-fixture.h
test-programs: $(check_PROGRAMS)
.PHONY: check-at check-ovs test-programs
