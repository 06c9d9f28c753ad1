// Objects, JSON, regular expressions, strings, sorting and closures in ES5, for MuJS and Duktape.

var seed = 12345;
function random(below) {
  seed = (seed * 16807) % 2147483647;
  return seed % below;
}

var SYLLABLES = ["ka", "lo", "mi", "ne", "pu", "ra", "so", "ti", "ve", "zu"];
function word() {
  var text = "";
  for (var i = 2 + random(4); i > 0; i--) text += SYLLABLES[random(SYLLABLES.length)];
  return text;
}

// Binary trees: small objects, most of which die young.
function Node(left, right) {
  this.left = left;
  this.right = right;
}
function tree(depth) {
  return depth === 0 ? new Node(null, null) : new Node(tree(depth - 1), tree(depth - 1));
}
function count(node) {
  return node.left === null ? 1 : 1 + count(node.left) + count(node.right);
}
function trees() {
  var longLived = tree(11);
  var total = 0;
  for (var depth = 4; depth <= 10; depth += 2)
    for (var i = 0; i < 1 << (11 - depth); i++) total += count(tree(depth));
  print("trees", total, count(longLived));
}

// JSON: documents made, written, read, changed.
function documents() {
  var length = 0;
  var labels = 0;
  var sum = 0;
  for (var i = 0; i < 150; i++) {
    var document = { id: i, name: word(), list: [], nested: {} };
    for (var k = 0; k < 20; k++) {
      document.list.push({ x: random(1000), label: word(), on: k % 2 === 0 });
      document.nested[word()] = [k, k * 2.5, null, 'a "quoted" text\n'];
    }
    var text = JSON.stringify(document);
    var again = JSON.parse(text);
    again.list.forEach(function (item) {
      sum += item.x;
      if (/^[kz]/.test(item.label)) labels++;
    });
    length += text.length + Object.keys(again.nested).length;
  }
  print("documents", length, labels, sum);
}

// Text: words counted, found by regular expressions, replaced by functions.
function text() {
  var words = [];
  var counts = {};
  for (var i = 0; i < 6000; i++) {
    var w = word();
    words.push(w);
    counts[w] = (counts[w] || 0) + 1;
  }
  var keys = Object.keys(counts).sort();
  var joined = words.slice(0, 1500).join(" ");
  var replaced = joined.replace(/([a-z]+)ka([a-z]*)/g, function (all, before, after) {
    return "<" + before.toUpperCase() + "|" + after + ">";
  });
  var dates = 0;
  for (var k = 0; k < 1500; k++) {
    var line = "2024-" + (10 + (k % 3)) + "-" + (10 + (k % 19)) + " " + words[k] + ": " + k;
    var found = /^(\d+)-(\d+)-(\d+) (\w+): (\d+)$/.exec(line);
    dates += Number(found[3]) + found[4].length;
  }
  var parts = joined.split(/ (?=k)/);
  print("text", keys.length, keys[10], replaced.length, dates, parts.length);
}

// Sorting objects, grouping them, chains of array functions.
function sorting() {
  var people = [];
  for (var i = 0; i < 2500; i++)
    people.push({ name: word(), age: random(90), id: i, tags: [word(), word()] });
  people.sort(function (a, b) {
    return a.age - b.age || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id);
  });
  var groups = {};
  people.forEach(function (person) {
    var key = "age" + person.age;
    (groups[key] = groups[key] || []).push(person.name + ":" + person.tags.join(","));
  });
  var sizes = people
    .map(function (person) {
      return { key: person.name.slice(0, 4), size: person.tags.join("").length };
    })
    .filter(function (item) {
      return item.size > 12;
    })
    .reduce(function (sum, item) {
      return sum + item.size;
    }, 0);
  print("sorting", people[0].name, people[people.length - 1].name, Object.keys(groups).length, sizes);
}

// Closures as objects, and exceptions.
function counter(step) {
  var value = 0;
  var history = [];
  return {
    add: function (x) {
      value += x * step;
      history.push(value);
      return value;
    },
    undo: function () {
      if (history.length === 0) throw new Error("nothing to undo");
      return history.pop();
    }
  };
}
function closures() {
  var sum = 0;
  var caught = 0;
  for (var i = 0; i < 4000; i++) {
    var c = counter(i % 7);
    for (var k = 1; k <= 3; k++) c.add(k);
    try {
      for (k = 0; k < 3 + (i % 3); k++) sum += c.undo();
    } catch (error) {
      caught += error.message.length;
    }
  }
  print("closures", sum, caught);
}

// Duktape takes about twice as long.
var rounds = typeof Duktape === "undefined" ? 3 : 2;
for (var round = 0; round < rounds; round++) {
  trees();
  documents();
  text();
  sorting();
  closures();
}
