-- A shop: tables with indexes and text, ad-hoc statements, joins, updates, a text search of its own, JSON.

CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, note TEXT);
CREATE TABLE product (id INTEGER PRIMARY KEY, title TEXT, price INTEGER, attributes TEXT);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, product INTEGER, amount INTEGER, day TEXT);
CREATE INDEX customer_city ON customer (city, name);
CREATE INDEX purchase_customer ON purchase (customer, day);
CREATE INDEX purchase_product ON purchase (product);

BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
INSERT INTO customer SELECT i, printf('%s %s', substr('AnnaBertCaraDoraEmilFritGretHans', 1 + (i * 7 % 8) * 4, 4),
  hex(i * 2654435761 % 65536)), substr('Aachen  Bremen  Coburg  Dresden Essen   Freiburg', 1 + (i % 6) * 8, 8),
  replace(hex(zeroblob(i % 90)), '00', 'so ') FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800)
INSERT INTO product SELECT i, printf('thing %05d', i * 37 % 1000), i * 13 % 997,
  json_object('color', iif(i % 3, 'red', 'blue'), 'sizes', json_array(i % 5, i % 7, i % 11)) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
INSERT INTO purchase SELECT i, 1 + i * 7919 % 6000, 1 + i * 104729 % 800, 1 + i % 9,
  date('2024-01-01', '+' || (i % 365) || ' days') FROM n;
COMMIT;

SELECT 'rows', (SELECT count(*) FROM customer), (SELECT count(*) FROM product), (SELECT count(*) FROM purchase);
SELECT city, count(*), sum(length(note)) FROM customer GROUP BY city ORDER BY city;

-- Single statements, each compiled anew, as from a program that makes its SQL of strings.
.repeat 4000
SELECT c.name, sum(p.amount * q.price), group_concat(q.title, ', ')
  FROM customer c JOIN purchase p ON p.customer = c.id JOIN product q ON q.id = p.product
  WHERE c.id = :i * 3 % 6000 AND p.day BETWEEN '2024-02-01' AND '2024-11-30' GROUP BY c.id HAVING :i % 200 = 0;
UPDATE customer SET note = note || ' seen ' || :i WHERE id = 1 + :i * 17 % 6000;
INSERT INTO purchase (customer, product, amount, day) VALUES (:i, 1 + :i % 800, 1, '2025-01-01');
DELETE FROM purchase WHERE id = :i * 5;
.end

SELECT q.title, count(*), sum(p.amount) AS sold FROM purchase p JOIN product q ON q.id = p.product
  GROUP BY q.id ORDER BY sold DESC, q.title LIMIT 5;
SELECT json_extract(attributes, '$.color') AS color, sum(json_extract(attributes, '$.sizes[2]')), count(*)
  FROM product GROUP BY color ORDER BY color;
SELECT substr(day, 1, 7) AS month, count(DISTINCT customer) FROM purchase GROUP BY month ORDER BY month;

-- Words of all notes and titles, split in SQL.
CREATE TABLE word AS
WITH RECURSIVE split(id, word, rest) AS (
  SELECT id, '', note || ' ' FROM customer WHERE id <= 3000
  UNION ALL
  SELECT id, substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split WHERE rest <> ''
) SELECT id, word FROM split WHERE word <> '';
CREATE INDEX word_word ON word (word, id);
SELECT count(*), count(DISTINCT word), max(word) FROM word;
SELECT word, count(*) AS n FROM word GROUP BY word ORDER BY n DESC, word LIMIT 3;

DROP TABLE word;
DELETE FROM purchase WHERE customer % 3 = 0;
VACUUM;
SELECT count(*), sum(amount), min(day), max(day) FROM purchase;
PRAGMA integrity_check;
