# libmultilog: to add a file, add a line.
noinst_LIBRARIES += lib/libmultilog.a
lib_libmultilog_a_SOURCES = \
	lib/mlog-aggregate-def.c \
	lib/mlog-aggregate.c \
	lib/mlog-aggregate.h \
	lib/mlog-alert.c \
	lib/mlog-alert.h \
	lib/mlog-capture-write.c \
	lib/mlog-capture.c \
	lib/mlog-capture.h \
	lib/mlog-clock.c \
	lib/mlog-clock.h \
	lib/mlog-command-args.c \
	lib/mlog-command-call.h \
	lib/mlog-command-query.c \
	lib/mlog-command-show.c \
	lib/mlog-command-stream.c \
	lib/mlog-command.c \
	lib/mlog-command.h \
	lib/mlog-digest.c \
	lib/mlog-digest.h \
	lib/mlog-drop.c \
	lib/mlog-drop.h \
	lib/mlog-expr-error.c \
	lib/mlog-expr-eval.c \
	lib/mlog-expr-lex.c \
	lib/mlog-expr-parse.c \
	lib/mlog-expr-private.h \
	lib/mlog-expr-term.c \
	lib/mlog-expr.c \
	lib/mlog-expr.h \
	lib/mlog-field-format.c \
	lib/mlog-field-names.h \
	lib/mlog-field-parse.c \
	lib/mlog-fields.c \
	lib/mlog-fields.h \
	lib/mlog-flow-table.c \
	lib/mlog-flow-table.h \
	lib/mlog-group-table.c \
	lib/mlog-group-table.h \
	lib/mlog-header-log.c \
	lib/mlog-header-log.h \
	lib/mlog-headers.c \
	lib/mlog-headers.h \
	lib/mlog-match.c \
	lib/mlog-options.c \
	lib/mlog-options.h \
	lib/mlog-output.c \
	lib/mlog-output.h \
	lib/mlog-ports.c \
	lib/mlog-ports.h \
	lib/mlog-predicate.c \
	lib/mlog-query-groups.c \
	lib/mlog-query.c \
	lib/mlog-query.h \
	lib/mlog-record.h \
	lib/mlog-scan.c \
	lib/mlog-scan.h \
	lib/mlog-stream-control.c \
	lib/mlog-stream-private.h \
	lib/mlog-stream.c \
	lib/mlog-stream.h \
	lib/mlog-time.c \
	lib/mlog-time.h \
	lib/mlog-trigger-def.c \
	lib/mlog-trigger.c \
	lib/mlog-trigger.h \
	lib/multilog.c \
	lib/multilog.h

# It must not see DPDK.
lib_libmultilog_a_CPPFLAGS = $(mlog_cppflags) @ovs/lib.flags
