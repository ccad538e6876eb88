"""imapflow and nodemailer, the libraries behind many web mailers: submission by STARTTLS, IDLE, download, flags, MOVE."""
import json
import pathlib
import subprocess
import uuid

HERE = pathlib.Path(__file__).resolve().parent


def test_imapflow_and_nodemailer(server, alice, bob):
    setup = {"ca": server.ca_file, "hostname": server.hostname, "imaps": server.ports["imaps"],
             "submission": server.ports["submission"], "mark": uuid.uuid4().hex,
             "alice": vars(alice), "bob": vars(bob)}
    done = subprocess.run(["node", str(HERE / "imapflow.mjs")], input=json.dumps(setup), capture_output=True, text=True,
                          timeout=180, cwd=HERE)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["subject"] == setup["mark"] + " 季度报告"
    assert seen["parts"] == 2 and seen["attachment"] == 200000 and seen["moved"] == 1
    assert seen["file"] == "报告.txt"
    assert "\\Sent" in seen["uses"] and "\\Archive" in seen["uses"]
    assert seen["response"].startswith("250 ")
