#include "views/commands/palette_search.h"

#include <algorithm>

#include "core/base/error.h"
#include "views/commands/fuzzy_match.h"

namespace qaq::views {
namespace {

constexpr int kRecent = 6;        // points for the last command; fewer for those before it
constexpr int kWord = 20;         // points for a command's short name, written whole
constexpr int kCalled = 1000;     // what was written out is what is meant
constexpr int kMostChoices = 64;  // of an argument that are offered

QString wordOf(const Command& command) {
  return command.word.isEmpty() ? command.id : command.word;
}

/// The best of text, name and keywords.
std::optional<int> scoreOf(const Command& command, const QString& text, const QString& query) {
  std::optional<int> best;
  for (const QString& field : {text, command.word, command.id, command.keywords}) {
    const auto score = fuzzyScore(query, field);
    // The menu's text is what people know.
    if (score) best = std::max(best.value_or(0), *score + (field == text ? 2 : 0));
  }
  return best;
}

}  // namespace

PaletteEntry PaletteSearch::entryOf(const Command& command) const {
  const QString why = m_registry->blocked(command.id);
  const QList<QKeySequence> keys = m_registry->shortcuts(command.id);
  PaletteEntry entry{
      .text = m_registry->textOf(command),
      .detail = why.isEmpty() ? command.help : why,
      .shortcut = keys.isEmpty() ? QString() : keys.first().toString(QKeySequence::NativeText),
      .completion = wordOf(command) + QLatin1Char(' '),
      .enabled = why.isEmpty()};
  if (!command.needsArguments()) entry.invocation = Invocation{.id = command.id};
  return entry;
}

QList<PaletteEntry> PaletteSearch::commands(const QString& query) const {
  QList<PaletteEntry> found;
  for (const Command* command : m_registry->all()) {
    PaletteEntry entry = entryOf(*command);
    const auto score = scoreOf(*command, entry.text, query);
    if (!score) continue;
    const auto age = static_cast<int>(m_registry->recent().indexOf(command->id));
    entry.score = *score + (age < 0 ? 0 : std::max(1, kRecent - age)) +
                  (query == command->word && !query.isEmpty() ? kWord : 0);
    found.push_back(entry);
  }
  return found;
}

/// "layer 1": the command that is written, with the arguments that begin so.
QList<PaletteEntry> PaletteSearch::calls(const QString& query) const {
  const qsizetype space = query.indexOf(QLatin1Char(' '));
  if (space < 0) return {};
  const QString name = query.left(space);
  const QString rest = query.mid(space + 1).trimmed();
  QList<PaletteEntry> found;
  for (const Command* command : m_registry->all()) {
    if (command->arguments.isEmpty() || (name != command->id && name != command->word)) continue;
    const CommandArgument& argument = command->arguments.first();
    const PaletteEntry base = entryOf(*command);
    const QString title = QString(base.text).remove(QChar(0x2026));
    const auto offer = [&](const QString& value, int score) {
      PaletteEntry entry = base;
      entry.text = title + QStringLiteral(": ") + value;
      entry.completion = name + QLatin1Char(' ') + value;
      entry.score = score;
      try {
        entry.invocation = m_registry->read(entry.completion);
      } catch (const Error& error) {
        entry.invocation.reset();
        entry.enabled = false;
        entry.detail = QString::fromUtf8(error.what());
      }
      found.push_back(entry);
    };
    const bool offersChoices = argument.choices && base.enabled;
    const QStringList choices = offersChoices ? argument.choices() : QStringList();
    int offered = 0;
    for (const QString& choice : choices) {
      if (!choice.startsWith(rest, Qt::CaseInsensitive) || offered == kMostChoices) continue;
      offer(choice, kCalled + kMostChoices - offered++);
    }
    const bool isText = argument.kind == CommandArgument::Kind::text;
    if (!rest.isEmpty() && (offered == 0 || (isText && !choices.contains(rest)))) {
      offer(rest, kCalled);
    }
    if (rest.isEmpty() && choices.isEmpty()) {
      PaletteEntry entry = base;
      entry.detail = base.enabled ? argument.help : base.detail;
      entry.score = kCalled;
      found.push_back(entry);
    }
  }
  return found;
}

QList<PaletteEntry> PaletteSearch::find(const QString& query) const {
  QList<PaletteEntry> found = calls(query);
  if (found.isEmpty()) {
    found = commands(query.trimmed());
    for (const Source& source : m_sources) found += source(query.trimmed());
  }
  std::stable_sort(found.begin(), found.end(), [](const PaletteEntry& a, const PaletteEntry& b) {
    if (a.enabled != b.enabled) return a.enabled;
    return a.score > b.score;
  });
  return found;
}

}  // namespace qaq::views
