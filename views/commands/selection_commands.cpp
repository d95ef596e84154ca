#include "views/commands/selection_commands.h"

#include <algorithm>

#include "core/analysis/token_search.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "views/commands/coordinate_reader.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr int kTokenByNumber = 900, kTokenByText = 12;  // scores in the palette
constexpr int kMostTokens = 40, kMostUnasked = 5;       // tokens that the palette lists
constexpr int kContext = 6;                             // tokens shown on each side of one
constexpr int kShortestText = 2;                        // that is looked for unasked
constexpr QLatin1String kTokenPrefix("tok:");

QKeySequence key(const char* text) { return QKeySequence(QString::fromLatin1(text)); }

QStringList numbersBelow(std::int64_t first, std::int64_t end) {
  QStringList numbers;
  for (std::int64_t i = first; i < end; ++i) numbers.push_back(QString::number(i));
  return numbers;
}

/// The locked cell, else the first token of the slice.
Cursor startOf(const SelectionModel& selection) {
  const Slice& slice = selection.slice();
  return selection.locked().value_or(
      Cursor{.side = slice.side, .layer = slice.layer, .kvHead = slice.kvHead});
}

void lockToken(Workspace& workspace, int token) {
  Cursor cursor = startOf(workspace.selection());
  cursor.token = token;
  cursor.step = cursor.channel = Cursor::kNone;
  workspace.selection().lock(cursor);
}

/// The text of the last search; one of each window.
using LastSearch = std::shared_ptr<QString>;

/// Locks the next token, `by` 1 or -1, in which `text` begins, going round at the ends.
void lockNext(Workspace& workspace, const QString& text, int by) {
  const std::vector<std::int32_t> found =
      tokens_with_text(workspace.capture()->info(), text.toStdString());
  if (found.empty()) {
    refuse_usage({.place = "go.find",
                  .what = cat("no token holds ", quoted(text.toStdString()).toStdString()),
                  .cure = "look for a part of it"});
  }
  const auto& locked = workspace.selection().locked();
  const int at = locked ? locked->token : by > 0 ? -1 : 0;
  std::int32_t next = 0;
  if (by > 0) {
    const auto behind = std::upper_bound(found.begin(), found.end(), at);
    next = behind == found.end() ? found.front() : *behind;
  } else {
    const auto here = std::lower_bound(found.begin(), found.end(), at);
    next = here == found.begin() ? found.back() : *(here - 1);
  }
  lockToken(workspace, next);
}

/// The text around a token, which is in brackets: "… and then[ the] lamp was lit…".
QString contextOf(const CaptureInfo& info, int token) {
  const int last = static_cast<int>(info.n_tokens) - 1;
  const int from = std::max(0, token - kContext), to = std::min(last, token + kContext);
  QString text = from > 0 ? QStringLiteral("…") : QString();
  for (int i = from; i <= to; ++i) {
    const QString one = QString::fromStdString(info.token_text[static_cast<std::size_t>(i)]);
    text += i == token ? QStringLiteral("[%1]").arg(one) : one;
  }
  if (to < last) text += QStringLiteral("…");
  return text.replace(QLatin1Char('\n'), QStringLiteral("⏎"));
}

int groupSize(const Workspace& workspace) {
  return static_cast<int>(workspace.capture()->info().shape.group_size());
}

}  // namespace

QString needsCapture(const Workspace& workspace) {
  return workspace.capture() ? QString()
                             : SelectionCommands::tr("no capture is open; open one first");
}

void SelectionCommands::add(CommandRegistry& registry, Workspace& workspace) {
  addSteps(registry, workspace);
  addPlaces(registry, workspace);
  addPrefix(registry, workspace);
  addTokens(registry, workspace);
}

void SelectionCommands::addSteps(CommandRegistry& registry, Workspace& workspace) {
  SelectionModel& selection = workspace.selection();
  const auto add = [&](Command command, auto&& act) {
    command.menu = QStringLiteral("go");
    command.section = QStringLiteral("step");
    command.blocked = [&workspace] { return needsCapture(workspace); };
    command.run = [act](const CommandArguments&) { act(); };
    registry.add(std::move(command));
  };
  add({.id = "go.layer.previous",
       .text = tr("Previous layer"),
       .help = tr("Shows the captured layer before in the maps of one head; a lock moves along"),
       .keywords = tr("up"),
       .shortcuts = {key("[")}},
      [&selection] { selection.stepLayer(-1); });
  add({.id = "go.layer.next",
       .text = tr("Next layer"),
       .help = tr("Shows the next captured layer in the maps of one head; a lock moves along"),
       .keywords = tr("down"),
       .shortcuts = {key("]")}},
      [&selection] { selection.stepLayer(1); });
  add({.id = "go.head.previous",
       .text = tr("Previous KV head"),
       .help = tr("Shows the KV head before; a lock moves along"),
       .shortcuts = {key("{")}},
      [&selection] { selection.stepHead(-1); });
  add({.id = "go.head.next",
       .text = tr("Next KV head"),
       .help = tr("Shows the next KV head; a lock moves along"),
       .shortcuts = {key("}")}},
      [&selection] { selection.stepHead(1); });
  const auto stepQuery = [&workspace, &selection](int by) {
    Slice slice = selection.slice();
    const int first = slice.kvHead * groupSize(workspace);
    // The group stands before its first head.
    const int at = slice.queryHead == Slice::kGroup ? -1 : slice.queryHead - first;
    const int next = std::clamp(at + by, -1, groupSize(workspace) - 1);
    slice.queryHead = next < 0 ? Slice::kGroup : first + next;
    selection.setSlice(slice);
  };
  add({.id = "go.query.previous",
       .text = tr("Previous query head"),
       .help = tr("Shows the attention of the query head before; before the first: the maximum "
                  "over all that read the KV head")},
      [stepQuery] { stepQuery(-1); });
  add({.id = "go.query.next",
       .text = tr("Next query head"),
       .help = tr("Shows the attention of the next query head that reads the KV head")},
      [stepQuery] { stepQuery(1); });
  add({.id = "go.key",
       .text = tr("Keys"),
       .help = tr("Shows the key cache in the maps of one cache"),
       .keywords = tr("cache K"),
       .shortcuts = {key("K")}},
      [&selection] { selection.setSide(CacheSide::key); });
  add({.id = "go.value",
       .text = tr("Values"),
       .help = tr("Shows the value cache in the maps of one cache"),
       .keywords = tr("cache V"),
       .shortcuts = {key("V")}},
      [&selection] { selection.setSide(CacheSide::value); });
}

void SelectionCommands::addPlaces(CommandRegistry& registry, Workspace& workspace) {
  SelectionModel& selection = workspace.selection();
  const auto add = [&](Command command, auto&& act) {
    command.menu = QStringLiteral("go");
    command.section = QStringLiteral("place");
    command.blocked = [&workspace] { return needsCapture(workspace); };
    command.run = act;
    registry.add(std::move(command));
  };
  const auto layers = [&workspace] {
    QStringList numbers;
    if (workspace.capture()) {
      for (const std::int32_t layer : workspace.capture()->info().layers) {
        numbers.push_back(QString::number(layer));
      }
    }
    return numbers;
  };
  add({.id = "go.layer",
       .word = "layer",
       .text = tr("Go to layer…"),
       .help = tr("Shows a layer of the model"),
       .arguments = {{.name = "layer",
                      .help = tr("A captured layer of the model"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = layers}}},
      [&selection, layers](const CommandArguments& arguments) {
        Slice slice = selection.slice();
        slice.layer = static_cast<int>(layers().indexOf(arguments["layer"].toString()));
        selection.setSlice(slice);
      });
  add({.id = "go.head",
       .word = "head",
       .text = tr("Go to KV head…"),
       .help = tr("Shows a KV head"),
       .arguments = {{.name = "head",
                      .help = tr("A KV head"),
                      .kind = CommandArgument::Kind::choice,
                      .choices =
                          [&workspace] {
                            return workspace.capture()
                                       ? numbersBelow(0,
                                                      workspace.capture()->info().shape.n_kv_heads)
                                       : QStringList();
                          }}}},
      [&selection](const CommandArguments& arguments) {
        Slice slice = selection.slice();
        slice.kvHead = arguments["head"].toInt();
        selection.setSlice(slice);
      });
  add({.id = "go.query",
       .word = "query",
       .text = tr("Go to query head…"),
       .help = tr("Shows the attention of one query head, or the maximum over the group that "
                  "reads its KV head"),
       .arguments = {{.name = "head",
                      .help = tr("A query head of the model, or group"),
                      .kind = CommandArgument::Kind::choice,
                      .choices =
                          [&workspace] {
                            if (!workspace.capture()) return QStringList();
                            return QStringList{QStringLiteral("group")} +
                                   numbersBelow(0, workspace.capture()->info().shape.n_heads);
                          }}}},
      [&workspace, &selection](const CommandArguments& arguments) {
        Slice slice = selection.slice();
        bool number = false;
        const int head = arguments["head"].toString().toInt(&number);
        slice.queryHead = number ? head : Slice::kGroup;
        if (number) slice.kvHead = head / groupSize(workspace);
        selection.setSlice(slice);
      });
  add({.id = "go.cache",
       .word = "cache",
       .text = tr("Go to cache…"),
       .help = tr("Shows keys or values in the maps of one cache"),
       .arguments = {{.name = "cache",
                      .help = tr("key or value"),
                      .kind = CommandArgument::Kind::choice,
                      .choices =
                          [] {
                            return QStringList{"key", "value"};
                          }}}},
      [&selection](const CommandArguments& arguments) {
        selection.setSide(arguments["cache"] == "key" ? CacheSide::key : CacheSide::value);
      });
  add({.id = "go.cell",
       .word = "cell",
       .text = tr("Go to cell…"),
       .help = tr("Locks a cell: value,14,1,56 or V L14 H1 tok 56; what is left out stays"),
       .keywords = tr("coordinate lock"),
       .shortcuts = {key("Ctrl+G")},
       .arguments = {{.name = "cell", .help = tr("As in V L14 H1 tok 56, or value,14,1,56")}}},
      [&workspace, &selection](const CommandArguments& arguments) {
        selection.lock(readCoordinate(arguments["cell"].toString(), workspace.capture()->info(),
                                      startOf(selection)));
      });
}

void SelectionCommands::addPrefix(CommandRegistry& registry, Workspace& workspace) {
  const auto add = [&](Command command, auto&& act) {
    command.menu = QStringLiteral("go");
    command.section = QStringLiteral("prefix");
    command.blocked = [&workspace] { return needsCapture(workspace); };
    command.run = act;
    registry.add(std::move(command));
  };
  add({.id = "go.prefix",
       .word = "prefix",
       .text = tr("Quantize the first tokens…"),
       .help = tr("Quantizes the first tokens, as at a step of decoding; 0: all"),
       .keywords = tr("prefix step"),
       .arguments = {{.name = "prefix",
                      .help = tr("Tokens to quantize; 0: all"),
                      .kind = CommandArgument::Kind::whole,
                      .range =
                          [&workspace] {
                            const auto& capture = workspace.capture();
                            return CommandArgument::Range{
                                0, capture ? static_cast<int>(capture->info().n_tokens) : 0};
                          }}}},
      [&workspace](const CommandArguments& arguments) {
        workspace.setPrefix(arguments["prefix"].toInt());
      });
  const auto step = [&workspace](int by) {
    const std::int64_t all = workspace.capture()->info().n_tokens;
    const std::int64_t now = workspace.prefix() == 0 ? all : workspace.prefix();
    workspace.setPrefix(std::clamp<std::int64_t>(now + by, 1, all));
  };
  add({.id = "go.prefix.previous",
       .text = tr("One token less"),
       .help = tr("Quantizes one token less, as one step of decoding before"),
       .keywords = tr("prefix step"),
       .shortcuts = {key(",")}},
      [step](const CommandArguments&) { step(-1); });
  add({.id = "go.prefix.next",
       .text = tr("One token more"),
       .help = tr("Quantizes one token more, as one step of decoding later"),
       .keywords = tr("prefix step"),
       .shortcuts = {key(".")}},
      [step](const CommandArguments&) { step(1); });
}

void SelectionCommands::addTokens(CommandRegistry& registry, Workspace& workspace) {
  SelectionModel& selection = workspace.selection();
  const auto last = std::make_shared<QString>();
  const auto add = [&](Command command, auto&& act) {
    command.menu = QStringLiteral("go");
    command.section = QStringLiteral("token");
    if (!command.blocked) command.blocked = [&workspace] { return needsCapture(workspace); };
    command.run = act;
    registry.add(std::move(command));
  };
  add({.id = "go.token",
       .word = "token",
       .text = tr("Go to token…"),
       .help = tr("Locks a token by its position; tok:56 means the same"),
       .arguments = {{.name = "token",
                      .help = tr("Position of the token, from 0"),
                      .kind = CommandArgument::Kind::whole,
                      .range =
                          [&workspace] {
                            const auto& capture = workspace.capture();
                            return CommandArgument::Range{
                                0, capture ? static_cast<int>(capture->info().n_tokens) - 1 : 0};
                          }}}},
      [&workspace](const CommandArguments& arguments) {
        lockToken(workspace, arguments["token"].toInt());
      });
  add({.id = "go.find",
       .word = "find",
       .text = tr("Find token…"),
       .help = tr("Locks the next token in which a text begins; tok:vessel means the same"),
       .keywords = tr("search text"),
       .shortcuts = {QKeySequence::Find},
       .arguments = {{.name = "text", .help = tr("A part of the text; it may run over tokens")}}},
      [&workspace, last](const CommandArguments& arguments) {
        *last = arguments["text"].toString();
        lockNext(workspace, *last, 1);
      });
  const auto needsSearch = [&workspace, last] {
    const QString why = needsCapture(workspace);
    if (!why.isEmpty() || !last->isEmpty()) return why;
    return tr("nothing was looked for yet; find a token first");
  };
  add({.id = "go.find.next",
       .text = tr("Find next"),
       .help = tr("Locks the next token with the text that was looked for last"),
       .shortcuts = {key("F3")},
       .blocked = needsSearch},
      [&workspace, last](const CommandArguments&) { lockNext(workspace, *last, 1); });
  add({.id = "go.find.previous",
       .text = tr("Find previous"),
       .help = tr("Locks the token before with the text that was looked for last"),
       .shortcuts = {key("Shift+F3")},
       .blocked = needsSearch},
      [&workspace, last](const CommandArguments&) { lockNext(workspace, *last, -1); });
  add({.id = "go.lock",
       .word = "lock",
       .text = tr("Lock the cell under the pointer"),
       .help = tr("Keeps the cell under the pointer in every view"),
       .shortcuts = {key("L")},
       .blocked =
           [&workspace, &selection] {
             const QString why = needsCapture(workspace);
             if (!why.isEmpty() || selection.hovered()) return why;
             return tr("the pointer is on no cell; point at one");
           }},
      [&selection](const CommandArguments&) { selection.lock(*selection.hovered()); });
  add({.id = "go.unlock",
       .word = "unlock",
       .text = tr("Unlock or cancel"),
       .help = tr("Stops a replay that runs; else frees the locked cell"),
       .keywords = tr("escape"),
       .shortcuts = {key("Esc")},
       .blocked =
           [&workspace, &selection] {
             if (selection.locked() || workspace.runner().busy()) return QString();
             return tr("nothing is locked and nothing runs; click a cell to lock it");
           }},
      [&workspace, &selection](const CommandArguments&) {
        if (workspace.runner().busy()) {
          workspace.cancel();
        } else {
          selection.unlock();
        }
      });
  registry.addLineReader([&registry](const QString& line) -> std::optional<Invocation> {
    if (!line.startsWith(kTokenPrefix)) return std::nullopt;
    const QString rest = line.mid(kTokenPrefix.size()).trimmed();
    bool number = false;
    rest.toInt(&number);
    const QString id = number ? QStringLiteral("go.token") : QStringLiteral("go.find");
    return Invocation{.id = id, .arguments = registry.argumentsOf(*registry.find(id), {rest})};
  });
}

PaletteSearch::Source SelectionCommands::tokens(Workspace& workspace) {
  return [&workspace](const QString& query) {
    QList<PaletteEntry> entries;
    if (!workspace.capture()) return entries;
    const CaptureInfo& info = workspace.capture()->info();
    const bool asked = query.startsWith(kTokenPrefix);
    const QString text = asked ? query.mid(kTokenPrefix.size()).trimmed() : query;
    bool number = false;
    const int position = text.toInt(&number);
    std::vector<std::int32_t> found;
    if (asked && number && position >= 0 && position < info.n_tokens) {
      found = {position};
    } else if (asked || text.size() >= kShortestText) {
      found = tokens_with_text(info, text.toStdString());
    }
    found.resize(std::min<std::size_t>(found.size(), asked ? kMostTokens : kMostUnasked));
    for (const std::int32_t token : found) {
      entries.push_back(
          {.text = tr("Token %1 %2")
                       .arg(token)
                       .arg(quoted(info.token_text[static_cast<std::size_t>(token)])),
           .detail = contextOf(info, token),
           .completion = kTokenPrefix + QString::number(token),
           .invocation = Invocation{.id = "go.token", .arguments = {{"token", token}}},
           .score = asked ? kTokenByNumber : kTokenByText});
    }
    return entries;
  };
}

}  // namespace qaq::views
