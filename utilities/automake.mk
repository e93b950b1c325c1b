# All files here are distributed.  A script that is to be installed is added
# to dist_bin_SCRIPTS, its man page to dist_man_MANS.
dist_bin_SCRIPTS +=
