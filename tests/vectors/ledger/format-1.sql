-- SOURCE: sqlite3 .dump of a ledger that the program wrote when its format was 1: an open job
-- that was granted and is to be cancelled, and one that ended. Never changed.
PRAGMA application_id=1229147185;
PRAGMA user_version=1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE jobs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    job          TEXT NOT NULL UNIQUE,
    task         TEXT NOT NULL,
    computation  TEXT NOT NULL,
    submitter    TEXT NOT NULL,
    owner        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'finished', 'failed', 'cancelled')),
    stage        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    priority     INTEGER NOT NULL,
    cancel_asked TEXT,
    error        TEXT,
    message      TEXT NOT NULL DEFAULT '',
    from_memo    INTEGER NOT NULL DEFAULT 0,
    accepted_ms  INTEGER NOT NULL,
    ended_ms     INTEGER,
    invocation   BLOB NOT NULL
) STRICT;
INSERT INTO jobs VALUES(1,'bafkreibotebmtkdoov5nlviijm4rjpff4bxfecsjdwukdscf7k6zpg26xa','bafkreic4zozhwglemqz6htfycpmrm4543nxspecceqveakyohhboux4rna','bafkreieqvysn3fjltd645rytngweyfmwzj4gmia65ede3kmmbat55fbl3m','did:key:z6Mkef1w29eU7SP9XmbDzTwbiisHZ3uTS5JpNEuu1R6pADkW','07070707070707070707070707070707','open','granted',1,4,'cancelled',NULL,'',0,1000,NULL,X'696e766f636174696f6e2031');
INSERT INTO jobs VALUES(2,'bafkreigiqhsm6pvkajxi5nxjou3eke4lobh5l4xiuv2w4r5ekimj4cxr7u','bafkreiflfa2fiz2kvwmc33ebfsdgfskd3flytwnsacfe4zlunvbn5t72aa','bafkreicarnifxyp65f6fekubfvybgg4lmj4hkcjxqww2wr6kdvhdl7iwey','did:key:z6Mkef1w29eU7SP9XmbDzTwbiisHZ3uTS5JpNEuu1R6pADkW','07070707070707070707070707070707','finished','finished',1,0,NULL,NULL,'',0,1000,2000,X'696e766f636174696f6e2032');
CREATE TABLE labels (
    seq   INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (seq, name)
) STRICT, WITHOUT ROWID;
INSERT INTO labels VALUES(1,'team','blue');
CREATE TABLE stages (
    seq     INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    worker  TEXT,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (seq, attempt, stage)
) STRICT, WITHOUT ROWID;
INSERT INTO stages VALUES(1,0,1,'accepted',NULL,1000);
INSERT INTO stages VALUES(1,1,3,'granted','08080808080808080808080808080808',1200);
INSERT INTO stages VALUES(2,0,1,'accepted',NULL,1000);
INSERT INTO stages VALUES(2,1,3,'granted','08080808080808080808080808080808',1200);
INSERT INTO stages VALUES(2,1,8,'finished',NULL,2000);
CREATE TABLE grants (
    seq             INTEGER NOT NULL,
    incarnation     INTEGER NOT NULL,
    n               INTEGER NOT NULL,
    worker          TEXT NOT NULL,
    worker_key      TEXT NOT NULL,
    duration_ms     INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    released_ms     INTEGER,
    attempts_failed INTEGER,
    error           TEXT,
    message         TEXT,
    PRIMARY KEY (seq, incarnation, n)
) STRICT, WITHOUT ROWID;
INSERT INTO grants VALUES(1,3,1,'08080808080808080808080808080808','did:key:z6MkeiwEAT7UhjgNfrqjRmGX1be3oD7f78zdveaZ4o9QuZ5D',3000,1200,NULL,NULL,NULL,NULL);
INSERT INTO grants VALUES(2,3,2,'08080808080808080808080808080808','did:key:z6MkeiwEAT7UhjgNfrqjRmGX1be3oD7f78zdveaZ4o9QuZ5D',3000,1200,NULL,NULL,NULL,NULL);
CREATE TABLE receipts (
    seq         INTEGER NOT NULL,
    receipt     TEXT NOT NULL,
    computation TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    worker      TEXT NOT NULL,
    worker_key  TEXT NOT NULL,
    fate        TEXT NOT NULL CHECK (fate IN ('accepted', 'duplicate', 'stale', 'refused')),
    memoizable  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    UNIQUE (seq, receipt)
) STRICT;
INSERT INTO receipts VALUES(2,'bafyreihrmo65nuyxaw3coofobeww4jodiobmbgbolpudvxwoujjw653jdu','bafkreicarnifxyp65f6fekubfvybgg4lmj4hkcjxqww2wr6kdvhdl7iwey',3,2,'08080808080808080808080808080808','did:key:z6MkeiwEAT7UhjgNfrqjRmGX1be3oD7f78zdveaZ4o9QuZ5D','accepted',1,2000,X'01551220c881e4cf3eaa026e8eb6e9753645138b704fd5f2e8a5756e47a452189e0af1fd');
CREATE TABLE considered (
    seq        INTEGER NOT NULL,
    worker     TEXT NOT NULL,
    worker_key TEXT NOT NULL,
    reason     TEXT NOT NULL,
    message    TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (seq, worker)
) STRICT, WITHOUT ROWID;
CREATE TABLE incarnations (
    incarnation INTEGER PRIMARY KEY AUTOINCREMENT,
    instance    TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;
INSERT INTO incarnations VALUES(1,'07070707070707070707070707070707',1000);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('incarnations',1);
INSERT INTO sqlite_sequence VALUES('jobs',2);
CREATE INDEX jobs_open ON jobs (owner) WHERE state = 'open';
CREATE INDEX jobs_state ON jobs (state, seq);
CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE state <> 'open';
CREATE INDEX receipts_memo ON receipts (computation, at_ms) WHERE memoizable = 1;
COMMIT;
