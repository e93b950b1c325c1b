# All files here are distributed.  A script that is to be installed is added
# to dist_bin_SCRIPTS, its man page to dist_man_MANS.
dist_bin_SCRIPTS +=

tools = utilities/multilog-dump
bin_PROGRAMS += $(tools)
utilities_multilog_dump_SOURCES = utilities/multilog-dump.c
utilities_multilog_dump_LDADD = lib/libmultilog.a
