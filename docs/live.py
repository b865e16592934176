import json, os, urllib.request
def ask(path, body=None):
    head = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    return urllib.request.urlopen(urllib.request.Request(os.environ["URL"] + "/api/v1/boards" + path, data, head))
board = json.load(ask("", {"title": "From Python"}))["board"]
cards = [{"type": "card.create", "column": "todo", "title": f"Card {n}"} for n in range(1, 100)]
ask(f"/{board}/commands", {"commands": [{"type": "column.create", "column": "todo", "title": "To do"}] + cards})
for line in ask(f"/{board}/events"):
    print(line.decode().rstrip(), flush=True)
