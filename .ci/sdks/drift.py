"""The comparison behind `.ci/drift`, which says how to call it."""

import base64
import difflib
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DELIVERIES = ROOT / "tests/vectors/deliveries.json"
RECORDED = HERE / "recorded.json"
TABLE = ROOT / "book/src/sdks.md"


class TypeScript:
    name = "TypeScript"
    package = "@pierre/storage"
    # Which top-level items of a file count: all, or those whose first line matches.
    sources = {
        "src/webhook.ts": None,
        "src/types.ts": r"Webhook",
        "src/util.ts": r"createHmac|timingSafeEqual|getEnvironmentCrypto",
    }
    item = r"(?:export|import|declare|async|function|class|interface|type|const|let|enum|abstract)\b"
    comment = r"//|/?\*"

    def fetch(self, version, folder):
        run("npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund",
            "--prefix", folder, f"{self.package}@{version or 'latest'}")

    def folder(self, folder):
        return folder / "node_modules" / self.package

    def version(self, folder):
        return json.loads((self.folder(folder) / "package.json").read_text())["version"]

    def command(self, folder):
        return ["node", HERE / "typescript.mjs", self.folder(folder)]


class Python:
    name = "Python"
    package = "pierre-storage"
    sources = {"pierre_storage/webhook.py": None, "pierre_storage/types.py": r"Webhook"}
    item = r"(?:@|class\b|def\b|async\b|import\b|from\b|[A-Za-z_]\w*\s*[:=])"
    comment = r"#"

    def fetch(self, version, folder):
        run(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check",
            "--target", folder, f"{self.package}=={version}" if version else self.package)

    def folder(self, folder):
        return folder

    def version(self, folder):
        (metadata,) = folder.glob("pierre_storage-*.dist-info/METADATA")
        return re.search(r"^Version: (.+)$", metadata.read_text(), re.M)[1]

    def command(self, folder):
        return [sys.executable, HERE / "python.py", folder]


SDKS = {"typescript": TypeScript(), "python": Python()}


class CannotTell(Exception):
    """Nothing is known about the SDKs, so they are neither the same nor different."""


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise CannotTell(f"`{' '.join(map(str, command))}` failed:\n{result.stderr or result.stdout}")


def main(arguments):
    if arguments == ["--table"]:
        return check_table(json.loads(DELIVERIES.read_text()))
    temporary = Path(arguments.pop(0))
    is_recording = arguments == ["--record"]
    folder = Path(arguments[0]) if arguments and not is_recording else temporary / "newest"

    check_tools()
    deliveries = json.loads(DELIVERIES.read_text())
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    now, answers = {}, {}
    for key, sdk in SDKS.items():
        if not (folder / key).exists():
            sdk.fetch(None, folder / key)
        hashes = {file: sha256(text) for file, text in webhook_sources(sdk, folder / key).items()}
        now[key] = {"package": sdk.package, "version": sdk.version(folder / key), "sources": hashes}
        answers[key] = answers_of(sdk, folder / key, deliveries)
    if is_recording:
        return record(now, answers, deliveries)

    is_same = True
    for key, sdk in SDKS.items():
        print(f"{sdk.name} {sdk.package} {now[key]['version']}; recorded: {recorded[key]['version']}")
        is_same &= same_sources(sdk, recorded[key], now[key], folder / key, temporary / "recorded" / key)
        is_same &= same_answers(key, sdk, answers[key], deliveries)
    is_same &= check_table(deliveries) == 0
    if not is_same:
        print("\nIf the change is harmless, or the crates have followed it: `.ci/drift --record`, and commit.")
    return 0 if is_same else 1


def check_tools():
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", node)[1]) < 20:
        raise CannotTell(f"the TypeScript SDK needs Node.js 20 or later; this is {node.strip()}")
    # Before 3.11, `fromisoformat` reads fewer times, so the answers differ.
    if sys.version_info < (3, 11):
        raise CannotTell(f"the answers were recorded with Python 3.11 or later; this is {sys.version.split()[0]}")


# Sources.


def webhook_sources(sdk, folder):
    return {file: source(sdk, sdk.folder(folder) / file, wanted) for file, wanted in sdk.sources.items()}


def source(sdk, path, wanted):
    """The items of a file that concern webhooks; no text if there is no file."""
    if not path.exists():
        return ""
    text = path.read_text()
    if wanted is None:
        return text
    chosen = []
    for item in re.split(rf"^(?={sdk.item})", text, flags=re.M):
        lines = item.splitlines()
        if not lines or not re.match(sdk.item, lines[0]) or not re.search(wanted, lines[0]):
            continue
        # What follows an item belongs to the next one.
        while lines and (not lines[-1].strip() or re.match(sdk.comment, lines[-1].lstrip())):
            lines.pop()
        chosen.append("\n".join(lines) + "\n")
    return "\n".join(chosen)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def same_sources(sdk, recorded, now, folder, recorded_folder):
    changed = [file for file in sdk.sources if recorded["sources"].get(file) != now["sources"][file]]
    if not changed:
        print(f"  sources: the {len(sdk.sources)} files are as recorded")
        return True
    sdk.fetch(recorded["version"], recorded_folder)
    before, after = webhook_sources(sdk, recorded_folder), webhook_sources(sdk, folder)
    for file in changed:
        print(f"  CHANGED SOURCE {file}")
        if sha256(before[file]) != recorded["sources"].get(file):
            print(f"    recorded.json doesn't have the hash of {recorded['version']} on the registry, which is"
                  f" {sha256(before[file])}:\n    the record is wrong, or that version was replaced")
        diff = difflib.unified_diff(before[file].splitlines(), after[file].splitlines(),
                                    recorded["version"], now["version"], lineterm="")
        for line in diff:
            print(f"    {line}")
    return False


# Answers.


def answers_of(sdk, folder, deliveries):
    requests = [request(delivery) for delivery in deliveries if len(delivery["secrets"]) == 1]
    command = [str(part) for part in sdk.command(folder)]
    result = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True)
    if result.returncode != 0:
        # Not `CannotTell`: it loads, or has the same functions, no longer.
        print(f"{sdk.name}: the SDK can't be called as before:\n{result.stderr}")
        sys.exit(1)
    # The SDKs have no rotation, so there is no answer to a delivery with several secrets.
    return {delivery["name"]: None for delivery in deliveries} | json.loads(result.stdout)


def request(delivery):
    """A delivery as the SDKs take it. A max age of 0 turns their check off."""
    headers = {"x-pierre-signature": delivery["signature_headers"], "x-pierre-event": delivery["event_headers"]}
    # Header bytes reach a handler as latin-1 text.
    headers = {name: [line.encode().decode("latin-1") for line in lines] for name, lines in headers.items()}
    return {
        "name": delivery["name"],
        "now": delivery["now"],
        "max_age": delivery["max_age"] or 0,
        "secret": delivery["secrets"][0],
        "headers": {name: lines[0] if len(lines) == 1 else lines for name, lines in headers.items() if lines},
        "body": base64.b64encode(body(delivery)).decode(),
    }


def body(delivery):
    if "body_base64" in delivery:
        return base64.b64decode(delivery["body_base64"])
    if "body_repeat" in delivery:
        parts = delivery["body_repeat"]
        return (parts["prefix"] + parts["byte_text"] * parts["count"] + parts["suffix"]).encode()
    return delivery["body"].encode()


def same_answers(key, sdk, answers, deliveries):
    def is_changed(delivery):
        return without_cause(delivery["official"][key]) != without_cause(answers[delivery["name"]])

    changed = [delivery for delivery in deliveries if is_changed(delivery)]
    for delivery in changed:
        note = f" ({delivery['note']})" if delivery["note"] else ""
        print(f"  CHANGED ANSWER to {delivery['name']}{note}")
        print(f"    recorded: {words(delivery['official'][key])}")
        print(f"    now:      {words(answers[delivery['name']])}")
        print(f"    here:     {' or '.join(ours(delivery))}")
    if not changed:
        print(f"  answers: those to {len(deliveries)} deliveries are as recorded")
    return not changed


def without_cause(answer):
    """The Python SDK appends a text of Python's, which depends on Python's version."""
    if answer and answer.get("error", "").startswith("Invalid push payload: "):
        return answer | {"error": "Invalid push payload"}
    return answer


def words(answer):
    if answer is None:
        return "not asked"
    if "crash" in answer:
        return f"raises {answer['crash']}"
    return "accepted" if answer["valid"] else answer["error"]


def ours(delivery):
    return ["accepted"] if "ok" in delivery["expected"] else delivery["expected"]["errors"]


# What is recorded.


def record(now, answers, deliveries):
    RECORDED.write_text(json.dumps(now, indent=2) + "\n")
    text = DELIVERIES.read_text()
    for delivery in deliveries:
        official = {key: answers[key][delivery["name"]] for key in SDKS}
        # As in `same_answers`, so that another Python changes nothing.
        if any(without_cause(official[key]) != without_cause(delivery["official"][key]) for key in SDKS):
            delivery["official"] = official
            before, name, after = text.partition(f'"name": {json.dumps(delivery["name"])},')
            line = '"official": ' + json.dumps(official, ensure_ascii=False)
            after = re.sub(r'"official": .*', lambda _: line, after, count=1)
            text = before + name + after
    assert json.loads(text) == deliveries, "deliveries.json was not rewritten correctly"
    DELIVERIES.write_text(text)
    TABLE.write_text(table(deliveries))
    return 0


def check_table(deliveries):
    if TABLE.exists() and TABLE.read_text() == table(deliveries):
        return 0
    print("book/src/sdks.md doesn't say what tests/vectors/deliveries.json says. It should change like this:")
    before = TABLE.read_text().splitlines() if TABLE.exists() else []
    for line in difflib.unified_diff(before, table(deliveries).splitlines(), "book/src/sdks.md", "expected", lineterm=""):
        print(f"  {line}")
    return 1


INTRODUCTION = """\
# Differences from the official SDKs

Each delivery of `tests/vectors/deliveries.json` that an official SDK answers otherwise than these
crates. [From the official SDKs](from-the-official-sdks.md) sums the differences up, and [protocol.md](protocol.md) has the reason
beside each rule. All other deliveries of that table get the same answer.

`.ci/drift` gives the deliveries to the newest SDKs, and fails if one answers otherwise than recorded here. The same script writes this
page. The Go SDK is not among them.
"""


def table(deliveries):
    """Only what differs from ours, ordered by our answer."""
    versions = json.loads(RECORDED.read_text())
    heads = [f"{sdk.name} {versions[key]['version']}" for key, sdk in SDKS.items()]
    rows = []
    for delivery in deliveries:
        official = [delivery["official"][key] for key in SDKS]
        if any(differs(answer, delivery) for answer in official):
            cells = [words(answer) if differs(answer, delivery) else "as here" for answer in official]
            here = " or ".join(ours(delivery))
            note = f": {delivery['note']}" if delivery["note"] else ""
            rows.append((here, f"`{delivery['name']}`{note}", *cells))
    lines = [f"| here | delivery | {' | '.join(heads)} |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in sorted(rows)]
    return INTRODUCTION + "\n" + "\n".join(lines) + "\n"


def differs(answer, delivery):
    return answer is not None and words(without_cause(answer)) not in ours(delivery)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CannotTell as reason:
        print(f"drift: {reason}", file=sys.stderr)
        sys.exit(2)
