from kb_service.store import Store
def test_x(store: Store):
    with store.writing("shop") as u:
        u.rules.put(u.rules.get())
    assert store.position("shop") == 1
