# Copyright (c) 2026 The MultiLog for Open vSwitch authors.
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at:
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

# Configuration of Sphinx, for "make html" and "make man".

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def project_version():
    with open(os.path.join(HERE, "..", "configure.ac")) as f:
        return re.search(r"AC_INIT\(\[[^]]*\], \[([^]]*)\]\)",
                         f.read()).group(1)


project = "MultiLog for Open vSwitch"
author = "The MultiLog for Open vSwitch authors"
copyright = "2026, The MultiLog for Open vSwitch authors"
version = release = project_version()

source_suffix = ".rst"
master_doc = "index"
exclude_patterns = ["_build"]
highlight_language = "none"
smartquotes = False

html_theme = "alabaster"
html_theme_options = {
    "description": "Every packet that the userspace switch forwarded",
    "page_width": "1040px",
    "fixed_sidebar": True,
}
html_static_path = []
html_copy_source = False

# (source, name, description, authors, section).  A reference page is also its
# own man page.
man_pages = [
    ("ref/commands", "multilog-commands",
     "the multilog/* commands of ovs-appctl", [], 8),
    ("ref/multilog-dump", "multilog-dump",
     "print the records of MultiLog archives", [], 8),
    ("ref/ovs-multilog", "ovs-multilog",
     "ask an Open vSwitch what its packets did", [], 8),
    ("ref/multilog-ovsdb", "multilog-ovsdb",
     "make the database MultiLog and have it served", [], 8),
    ("ref/ovs-multilogctl", "ovs-multilogctl",
     "configure MultiLog through its database", [], 8),
    ("ref/ovs-multilogd", "ovs-multilogd",
     "ask all hosts at once", [], 8),
    ("ref/multilog-sandbox", "multilog-sandbox",
     "try the MultiLog on real traffic", [], 8),
    ("ref/expressions", "multilog-expressions",
     "expressions of filters and queries", [], 7),
    ("ref/fields", "multilog-fields",
     "the fields of a record", [], 7),
]
man_make_section_directory = False
