"""The rules that hold while a file is read, before any check sees it: what each of them asks for."""

from collections.abc import Mapping

READING_RULES: Mapping[str, str] = {
    "byte-order-mark": "A file begins with its text: no byte order mark.",
    "control-character": "A file holds text: no control characters, and no line breaks that only YAML 1.1 knows.",
    "duplicate-key": "A key is given once in a mapping. YAML readers silently take the last one.",
    "empty-file": "A file in the registry says something.",
    "empty-registry": "A registry has model files.",
    "expired-waiver": "A waiver holds until the day it names; from then on the rule holds again.",
    "file-extension": "Model and cluster files end in `.yaml`; any other spelling is not read.",
    "file-too-large": "A file has at most 1 MiB.",
    "folder-not-read": "Model files are in the registry's folder itself, cluster files in `clusters`, policies in "
    "`policies`. A folder that begins with `.` may hold anything.",
    "key-not-text": "A key is text. A number, a boolean or a mapping as a key is quoted, or a mistake.",
    "link-out-of-registry": "A link leads to a file of the registry: what is reviewed is what is read.",
    "merge-key": "Merge keys (`<<`) are written out: YAML 1.2 does not know them.",
    "missing-key": "A key without a default is given.",
    "nested-too-deeply": "At most 40 mappings and lists stand inside each other.",
    "no-mapping": "The top level of a file is a mapping.",
    "no-registry": "The registry is a folder.",
    "not-a-choice": "A key that is a choice has one of its values.",
    "not-utf-8": "A file is UTF-8.",
    "obsolete-key": "A key of an older format that means nothing today is left out. The message says why.",
    "out-of-range": "A number is in the range of its key.",
    "policy-file": "A file in `policies` is a JSON Schema (2020-12) with a name of its own.",
    "secret-in-clear": "A file holds no text that has the shape of a token, a key or a password, comments included. "
    "Write `${env:NAME}`: the variable is read on the cluster's nodes.",
    "several-documents": "A file holds one document.",
    "tab-indentation": "Files are indented with spaces.",
    "too-many-values": "A file has at most 20,000 keys and values, counting what aliases repeat.",
    "unknown-alias": "An alias has an anchor that ends before it.",
    "unknown-key": "A key is known. Nothing is dropped silently; the hint names the nearest known key or what takes "
    "its place.",
    "unreadable": "Every file and folder of the registry can be read.",
    "unused-waiver": "A waiver stands for a problem that is there and may be waived: a warning, a policy or a memory "
    "check. One that is not needed any more is removed.",
    "wrong-form": "What belongs together is given together. The message says what is missing or too much.",
    "wrong-type": "A value has the type of its key. Numbers are strict: a quoted number is text.",
    "yaml-boolean": "A boolean is `true` or `false`; other spellings are text to some YAML readers.",
    "yaml-number": "A number is decimal and reads the same in YAML 1.1 and 1.2.",
    "yaml-syntax": "A file is YAML.",
    "yaml-tag": "Values have no tags.",
    "yaml-timestamp": "A date is quoted: it is text to some YAML readers and not to others.",
}
"""What each rule asks for, by name."""
