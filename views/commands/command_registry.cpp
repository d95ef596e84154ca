#include "views/commands/command_registry.h"

#include <QAction>
#include <QProcess>
#include <algorithm>
#include <cassert>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::views {
namespace {

std::string plain(const QString& text) { return text.toStdString(); }

/// "0 to 29" where the choices are whole numbers in a row, else "0, 1, 3".
std::string listText(const QStringList& choices) {
  bool inARow = choices.size() > 2;
  for (int i = 0; i < choices.size() && inARow; ++i) {
    bool whole = false;
    inARow = choices[i].toInt(&whole) == choices.first().toInt() + i && whole;
  }
  if (inARow) return cat(plain(choices.first()), " to ", plain(choices.last()));
  return plain(choices.join(QStringLiteral(", ")));
}

QVariant wholeNumber(const Command& command, const CommandArgument& argument, const QString& word) {
  const CommandArgument::Range range = argument.range();
  bool whole = false;
  const int number = word.toInt(&whole);
  if (whole && number >= range.least && number <= range.most) return number;
  refuse_usage({.place = plain(command.id),
                .what = whole ? cat("there is no ", plain(argument.name), " ", number)
                              : cat("'", plain(word), "' is no ", plain(argument.name)),
                .cure = cat("give a number from ", range.least, " to ", range.most)});
}

QVariant oneOf(const Command& command, const CommandArgument& argument, const QString& word) {
  const QStringList choices = argument.choices();
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const QString& choice) {
    return choice.compare(word, Qt::CaseInsensitive) == 0;
  });
  if (found != choices.end()) return *found;
  refuse_usage({.place = plain(command.id),
                .what = cat("there is no ", plain(argument.name), " ", plain(word)),
                .cure = choices.isEmpty() ? "open a capture that has one"
                                          : "choose one of " + listText(choices)});
}

QVariant valueOf(const Command& command, const CommandArgument& argument, const QString& word) {
  switch (argument.kind) {
    case CommandArgument::Kind::whole:
      return wholeNumber(command, argument, word);
    case CommandArgument::Kind::choice:
      return oneOf(command, argument, word);
    case CommandArgument::Kind::text:
      return word;
  }
  return {};
}

std::string usageOf(const Command& command) {
  std::string usage = "give " + plain(command.word.isEmpty() ? command.id : command.word);
  for (const CommandArgument& argument : command.arguments) {
    const std::string name = plain(argument.name.toUpper());
    usage += argument.optional ? cat(" [", name, "]") : " " + name;
  }
  return usage;
}

}  // namespace

struct CommandRegistry::Entry {
  Command command;
  QAction* action = nullptr;  ///< a child of the registry
  QList<QKeySequence> shortcuts;
};

CommandRegistry::CommandRegistry(QObject* parent) : QObject(parent) {}
CommandRegistry::~CommandRegistry() = default;

QAction* CommandRegistry::add(Command command) {
  assert(!m_byName.contains(command.id) && !m_byName.contains(command.word));
  auto made = std::make_unique<Entry>();
  Entry* entry = made.get();
  m_entries.push_back(std::move(made));
  entry->command = std::move(command);
  entry->shortcuts = entry->command.shortcuts;
  const Command& known = entry->command;
  m_byName.insert(known.id, entry);
  if (!known.word.isEmpty()) m_byName.insert(known.word, entry);
  entry->action = new QAction(this);
  entry->action->setObjectName(known.id);
  entry->action->setCheckable(static_cast<bool>(known.checked));
  entry->action->setShortcuts(entry->shortcuts);
  entry->action->setStatusTip(known.help);
  connect(entry->action, &QAction::triggered, this, [this, entry] { actionTriggered(*entry); });
  refresh(*entry);
  emit added(known.id);
  return entry->action;
}

void CommandRegistry::addLineReader(LineReader reader) { m_readers.push_back(std::move(reader)); }

CommandRegistry::Entry* CommandRegistry::entry(const QString& id) const {
  Entry* found = m_byName.value(id);
  return found && found->command.id == id ? found : nullptr;
}

const Command* CommandRegistry::find(const QString& id) const {
  const Entry* found = entry(id);
  return found ? &found->command : nullptr;
}

const Command* CommandRegistry::named(const QString& name) const {
  const Entry* found = m_byName.value(name);
  return found ? &found->command : nullptr;
}

QList<const Command*> CommandRegistry::all() const {
  QList<const Command*> commands;
  for (const auto& entry : m_entries) commands.push_back(&entry->command);
  return commands;
}

QAction* CommandRegistry::action(const QString& id) const {
  const Entry* found = entry(id);
  return found ? found->action : nullptr;
}

QString CommandRegistry::textOf(const Command& command) const {
  return command.textNow ? command.textNow() : command.text;
}

QString CommandRegistry::blocked(const QString& id) const {
  const Command* command = find(id);
  return command && command->blocked ? command->blocked() : QString();
}

void CommandRegistry::refresh() {
  for (const auto& entry : m_entries) refresh(*entry);
}

void CommandRegistry::refresh(Entry& entry) {
  const Command& command = entry.command;
  const bool on = command.checked && command.checked();
  const QString text = textOf(command);
  QAction* action = entry.action;
  // An action that was triggered has toggled itself already; it may have had no effect.
  action->setChecked(on);
  const QString why = blocked(command.id);
  const QString keys = shortcutsText(entry.shortcuts);
  action->setToolTip((keys.isEmpty() ? text : QStringLiteral("%1 (%2)").arg(text, keys)) +
                     QLatin1Char('\n') + (why.isEmpty() ? command.help : why));
  const bool enabled = why.isEmpty();
  if (action->isEnabled() == enabled && action->text() == text) return;
  action->setEnabled(enabled);
  action->setText(text);
  emit changed(command.id);
}

Invocation CommandRegistry::read(const QString& line) const {
  const QStringList words = QProcess::splitCommand(line);
  if (words.isEmpty()) {
    refuse_usage({.what = "the command is empty", .cure = "see qaq-scope --list-commands"});
  }
  if (const Command* command = named(words.first())) {
    // Before its arguments: without a capture no layer is one.
    const QString why = blocked(command->id);
    if (!why.isEmpty()) refuse_usage({.place = plain(command->id), .what = plain(why)});
    // A single argument needs no quotes, and keeps the spaces that it was written with.
    const QString rest = line.trimmed().mid(words.first().size()).trimmed();
    const bool isOne = command->arguments.size() == 1 &&
                       command->arguments.first().kind != CommandArgument::Kind::whole;
    const bool quotes = rest.contains(QLatin1Char('"'));
    return {.id = command->id,
            .arguments = argumentsOf(
                *command, isOne && !quotes && !rest.isEmpty() ? QStringList{rest} : words.mid(1))};
  }
  for (const LineReader& reader : m_readers) {
    if (auto invocation = reader(line.trimmed())) return *invocation;
  }
  std::vector<std::string> names;
  for (const QString& name : m_byName.keys()) names.push_back(plain(name));
  std::sort(names.begin(), names.end());
  const auto nearest = nearest_name(plain(words.first()), names);
  refuse_usage(
      {.place = plain(words.first()),
       .what = "no such command",
       .cure = nearest ? cat("did you mean ", *nearest, "?") : "see qaq-scope --list-commands"});
}

CommandArguments CommandRegistry::argumentsOf(const Command& command,
                                              const QStringList& words) const {
  CommandArguments arguments;
  int next = 0;
  for (const QString& word : words) {
    const auto byName = std::find_if(command.arguments.begin(), command.arguments.end(),
                                     [&](const CommandArgument& argument) {
                                       return word.startsWith(argument.name + QLatin1Char('='));
                                     });
    if (byName == command.arguments.end() && next >= command.arguments.size()) {
      refuse_usage({.place = plain(command.id),
                    .what = cat("'", plain(word), "' is one argument too many"),
                    .cure = usageOf(command)});
    }
    const bool named = byName != command.arguments.end();
    const CommandArgument& argument = named ? *byName : command.arguments[next++];
    arguments.insert(argument.name,
                     valueOf(command, argument, named ? word.mid(argument.name.size() + 1) : word));
  }
  return arguments;
}

void CommandRegistry::trigger(const QString& id, const CommandArguments& arguments) {
  const Entry* found = entry(id);
  if (!found) refuse_usage({.place = plain(id), .what = "no such command"});
  const Command& command = found->command;
  const QString why = blocked(id);
  if (!why.isEmpty()) refuse_usage({.place = plain(id), .what = plain(why)});
  for (const CommandArgument& argument : command.arguments) {
    if (argument.optional || arguments.contains(argument.name)) continue;
    refuse_usage({.place = plain(id),
                  .what = cat(plain(argument.name), " is missing"),
                  .cure = usageOf(command)});
  }
  command.run(arguments);
  if (command.isRecalled) {
    m_recent.removeAll(id);
    m_recent.prepend(id);
  }
  refresh();
  emit ran(id);
}

void CommandRegistry::triggerLine(const QString& line) {
  const Invocation invocation = read(line);
  trigger(invocation.id, invocation.arguments);
}

void CommandRegistry::tryLine(const QString& line) {
  try {
    triggerLine(line);
  } catch (const Error& error) {
    emit refused(QString::fromUtf8(error.what()));
  }
}

void CommandRegistry::tryTrigger(const Invocation& invocation) {
  try {
    trigger(invocation.id, invocation.arguments);
  } catch (const Error& error) {
    emit refused(QString::fromUtf8(error.what()));
  }
}

void CommandRegistry::actionTriggered(const Entry& entry) {
  if (entry.command.needsArguments()) {
    emit argumentsWanted(entry.command.id);
  } else {
    tryTrigger({.id = entry.command.id});
  }
}

void CommandRegistry::setShortcuts(const QString& id, const QList<QKeySequence>& shortcuts) {
  Entry* found = entry(id);
  if (!found || found->shortcuts == shortcuts) return;
  found->shortcuts = shortcuts;
  found->action->setShortcuts(shortcuts);
  refresh(*found);
  emit shortcutsChanged(id);
}

QList<QKeySequence> CommandRegistry::shortcuts(const QString& id) const {
  const Entry* found = entry(id);
  return found ? found->shortcuts : QList<QKeySequence>();
}

bool CommandRegistry::hasShippedShortcuts(const QString& id) const {
  const Entry* found = entry(id);
  return found && found->shortcuts == found->command.shortcuts;
}

const Command* CommandRegistry::holderOf(const QKeySequence& shortcut) const {
  for (const auto& entry : m_entries) {
    for (const QKeySequence& held : entry->shortcuts) {
      if (held.matches(shortcut) != QKeySequence::NoMatch ||
          shortcut.matches(held) != QKeySequence::NoMatch) {
        return &entry->command;
      }
    }
  }
  return nullptr;
}

}  // namespace qaq::views
