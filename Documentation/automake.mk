# Documentation, made by Sphinx.  "make" makes the man pages if Sphinx is
# there; "make html" and "make man" treat warnings as errors.
doc_source = $(wildcard $(addprefix $(srcdir)/, \
	Documentation/*.rst Documentation/*/*.rst Documentation/conf.py \
	ovs-patches/README.rst))
doc_out = Documentation/_build
doc_man = \
	$(doc_out)/man/multilog-commands.8 \
	$(doc_out)/man/multilog-dump.8 \
	$(doc_out)/man/multilog-expressions.7 \
	$(doc_out)/man/multilog-fields.7 \
	$(doc_out)/man/multilog-ovsdb.8 \
	$(doc_out)/man/multilog-sandbox.8 \
	$(doc_out)/man/ovs-multilog.8 \
	$(doc_out)/man/ovs-multilogctl.8 \
	$(doc_out)/man/ovs-multilogd.8

# The schema's page is made of its man page, if there is a program for that.
schema_html = $(if $(shell command -v mandoc),$(doc_out)/html/multilog-db.5.html)
$(doc_out)/html/multilog-db.5.html: vswitchd-ext/multilog-db.5
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)mandoc -T html $< > $@.tmp
	@mv $@.tmp $@

SPHINX = $(SPHINX_BUILD) -q -d $(doc_out)/doctrees-$(@F)

if HAVE_SPHINX
man_MANS = $(doc_man)

$(doc_out)/man.stamp: $(doc_source)
	@$(MKDIR_P) $(doc_out)
	$(AM_V_GEN)$(SPHINX) -b man $(srcdir)/Documentation $(doc_out)/man
	@touch $@
$(doc_man): $(doc_out)/man.stamp
	@test -e $@

html man:
	@$(MKDIR_P) $(doc_out)
	$(AM_V_GEN)$(SPHINX) -E -W --keep-going -b $@ \
		$(srcdir)/Documentation $(doc_out)/$@
html: $(schema_html)
man: vswitchd-ext/multilog-db.5
else
html man:
	@echo 'make $@: the Debian package python3-sphinx was missing when' \
	      'configure ran' >&2
	@false
endif

clean-local: clean-docs
clean-docs:
	rm -rf $(doc_out)

# The reference page of the fields is printed by a program, from the table of
# fields, and kept, so that these pages can be made without compiling.  "make
# check" compares; "make fields" makes it again.
test_programs += Documentation/gen-fields
TESTS += Documentation/check-fields
Documentation_gen_fields_LDADD = lib/libmultilog.a
fields: Documentation/gen-fields
	Documentation/gen-fields > $(srcdir)/Documentation/ref/fields.rst
check-fields: Documentation/gen-fields
	@srcdir=$(srcdir) $(srcdir)/Documentation/check-fields

.PHONY: check-fields clean-docs fields html man
