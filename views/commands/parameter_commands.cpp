#include "views/commands/parameter_commands.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policies.h"
#include "views/commands/fuzzy_match.h"
#include "views/commands/parameter_names.h"

namespace qaq::views {
namespace {

constexpr int kNamed = 900;   // score in the palette of a parameter that is written out
constexpr int kShortest = 2;  // letters by which parameters are looked for

QKeySequence key(const char* text) { return QKeySequence(QString::fromLatin1(text)); }

QString bareName(const Parameter& parameter) {
  const std::string_view name = parameter.info.name;
  return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

/// Bare names, each once, then those with sections.
QStringList allNames(const ScopeParams& params) {
  QStringList bare, full;
  for (const Parameter& parameter : list_parameters(params)) {
    if (!bare.contains(bareName(parameter))) bare.push_back(bareName(parameter));
    if (!parameter.section.empty()) full.push_back(QString::fromStdString(parameter.name));
  }
  return bare + full;
}

/// "head", or "head, token" where K and V differ.
QString valuesText(const std::vector<Parameter>& parameters) {
  QStringList values;
  for (const Parameter& parameter : parameters) {
    const QString value = QString::fromStdString(value_text(parameter.value));
    if (!values.contains(value)) values.push_back(value);
  }
  return values.join(QStringLiteral(", "));
}

/// Throws Error{usage}: the parameter, the value or the two together.
ScopeParams withValue(const ScopeParams& params, const QString& name, const QString& value) {
  ScopeParams changed = params;
  set_parameter(changed, name.toStdString(), ParameterValue(value.toStdString()));
  return changed;
}

ScopeParams withDefault(const ScopeParams& params, const QString& name) {
  ScopeParams changed = params;
  for (const Parameter& parameter :
       parameters_named(list_parameters(defaults_of(params)), name.toStdString())) {
    set_parameter(changed, parameter.name, parameter.value);
  }
  return changed;
}

/// Throws Error{usage} with the nearest name, or where the value is missing.
ParameterLine readAssignment(const QString& text, const ScopeParams& params) {
  const auto line = readParameterLine(text, list_parameters(params));
  if (!line) {
    const std::string name = text.section(QLatin1Char('='), 0, 0).trimmed().toStdString();
    std::vector<std::string> names;
    for (const QString& known : allNames(params)) {
      names.push_back(known.toStdString());
      for (const QString& word : wordsFor(known)) names.push_back(word.toStdString());
    }
    const auto nearest = nearest_name(name, names);
    refuse_usage({.place = name,
                  .what = "no such parameter",
                  .cure = nearest ? cat("did you mean ", *nearest, "?")
                                  : "see qaq replay --help for the parameters"});
  }
  if (line->value.isEmpty()) {
    refuse_usage({.place = line->name.toStdString(),
                  .what = "the value is missing",
                  .cure = cat("give one, as in ", line->name.toStdString(), "=",
                              valuesText(parameters_named(list_parameters(defaults_of(params)),
                                                          line->name.toStdString()))
                                  .toStdString())});
  }
  return *line;
}

}  // namespace

void ParameterCommands::addUndo(CommandRegistry& registry, ParameterEdits& edits) {
  QUndoStack& stack = edits.stack();
  registry.add(
      {.id = "edit.undo",
       .word = "undo",
       .text = tr("Undo"),
       .help = tr("Takes back the last change of parameters; the selection stays"),
       .shortcuts = {QKeySequence::Undo},
       .menu = "edit",
       .section = "undo",
       .blocked = [&stack] { return stack.canUndo() ? QString() : tr("nothing to undo"); },
       .textNow =
           [&stack] { return stack.canUndo() ? tr("Undo %1").arg(stack.undoText()) : tr("Undo"); },
       .run = [&stack](const CommandArguments&) { stack.undo(); }});
  registry.add(
      {.id = "edit.redo",
       .word = "redo",
       .text = tr("Redo"),
       .help = tr("Makes the change again that was taken back last"),
       .shortcuts = {key("Ctrl+Shift+Z"), key("Ctrl+Y")},
       .menu = "edit",
       .section = "undo",
       .blocked = [&stack] { return stack.canRedo() ? QString() : tr("nothing to redo"); },
       .textNow =
           [&stack] { return stack.canRedo() ? tr("Redo %1").arg(stack.redoText()) : tr("Redo"); },
       .run = [&stack](const CommandArguments&) { stack.redo(); }});
  QObject::connect(&stack, &QUndoStack::indexChanged, &registry,
                   [&registry] { registry.refresh(); });
}

void ParameterCommands::addEdits(CommandRegistry& registry, ParameterEdits& edits,
                                 Workspace& workspace) {
  addUndo(registry, edits);
  addPolicy(registry, edits, workspace);
  registry.add({.id = "edit.set",
                .word = "set",
                .text = tr("Set parameter…"),
                .help = tr("Sets a parameter by its name, as in window = 8 or key.level=token"),
                .keywords = tr("change value"),
                .menu = "edit",
                .section = "parameters",
                .arguments = {{.name = "assignment",
                               .help = tr("NAME=VALUE, as --set takes it; or a name alone to see "
                                          "its values")}},
                .run = [&edits, &workspace](const CommandArguments& arguments) {
                  const ParameterLine line =
                      readAssignment(arguments["assignment"].toString(), workspace.params());
                  edits.change(withValue(workspace.params(), line.name, line.value));
                }});
  registry.add({.id = "edit.reset",
                .word = "reset",
                .text = tr("Reset parameter…"),
                .help = tr("Gives a parameter its default again"),
                .menu = "edit",
                .section = "parameters",
                .arguments = {{.name = "parameter",
                               .help = tr("Its name; key.NAME or value.NAME: of one cache"),
                               .kind = CommandArgument::Kind::choice,
                               .choices = [&workspace] { return allNames(workspace.params()); }}},
                .run = [&edits, &workspace](const CommandArguments& arguments) {
                  const QString name = arguments["parameter"].toString();
                  edits.change(withDefault(workspace.params(), name), tr("reset %1").arg(name));
                }});
  registry.add({.id = "edit.reset.all",
                .word = "reset-all",
                .text = tr("Reset all parameters"),
                .help = tr("Gives every parameter its default again"),
                .keywords = tr("default"),
                .menu = "edit",
                .section = "parameters",
                .run = [&edits, &workspace](const CommandArguments&) {
                  edits.change(defaults_of(workspace.params()), tr("reset all parameters"));
                }});
  registry.addLineReader([&registry, &workspace](const QString& line) -> std::optional<Invocation> {
    const bool known = readParameterLine(line, list_parameters(workspace.params())).has_value();
    if (!known && !line.contains(QLatin1Char('='))) return std::nullopt;
    return Invocation{.id = "edit.set",
                      .arguments = registry.argumentsOf(*registry.find("edit.set"), {line})};
  });
}

void ParameterCommands::addPolicy(CommandRegistry& registry, ParameterEdits& edits,
                                  Workspace& workspace) {
  registry.add({.id = "edit.policy",
                .word = "policy",
                .text = tr("Choose policy…"),
                .help = tr("What decides the bits and what is evicted, as --policy takes it: a "
                           "name, or two as in qaq+h2o"),
                .keywords = tr("method rival quantize evict"),
                .menu = "edit",
                .section = "parameters",
                .arguments = {{.name = "policy",
                               .help = tr("Its name; what quantizes, then + and what evicts"),
                               .choices =
                                   [] {
                                     QStringList names;
                                     for (const std::string& name : policy_names()) {
                                       names.push_back(QString::fromStdString(name));
                                     }
                                     return names;
                                   }}},
                .run = [&edits, &workspace](const CommandArguments& arguments) {
                  ScopeParams changed = workspace.params();
                  set_policy(changed, arguments["policy"].toString().toStdString());
                  edits.change(changed);
                }});
}

void ParameterCommands::addPresets(CommandRegistry& registry, ParameterEdits& edits,
                                   Workspace& workspace, const Presets& presets) {
  QStringList names;
  for (const std::string& name : presets.names) names.push_back(QString::fromStdString(name));
  registry.add({.id = "edit.preset",
                .word = "preset",
                .text = tr("Apply preset…"),
                .help = tr("Sets what a preset sets: a bundled one or a JSON file"),
                .keywords = tr("paper settings"),
                .menu = "edit",
                .section = "parameters",
                .arguments = {{.name = "preset",
                               .help = tr("Its name, or the path of a JSON file"),
                               .choices = [names] { return names; }}},
                .run = [&edits, &workspace, presets](const CommandArguments& arguments) {
                  const QString name = arguments["preset"].toString();
                  ScopeParams changed = workspace.params();
                  presets.apply(name.toStdString(), changed);
                  edits.change(changed, tr("preset %1").arg(name));
                }});
}

void ParameterCommands::addRuns(CommandRegistry& registry, Workspace& workspace) {
  registry.add({.id = "run.run",
                .word = "run",
                .text = tr("Run"),
                .help = tr("Replays the capture with the present parameters"),
                .keywords = tr("replay compute"),
                .shortcuts = {key("Ctrl+Return"), key("F5")},
                .menu = "run",
                .blocked =
                    [&workspace] {
                      return workspace.capture() ? QString()
                                                 : tr("no capture is open; open one first");
                    },
                .run = [&workspace](const CommandArguments&) { workspace.run(); }});
  registry.add(
      {.id = "run.cancel",
       .word = "cancel",
       .text = tr("Cancel"),
       .help = tr("Stops the replay that runs; what is shown stays"),
       .keywords = tr("stop"),
       .menu = "run",
       .blocked =
           [&workspace] { return workspace.runner().busy() ? QString() : tr("nothing runs"); },
       .run = [&workspace](const CommandArguments&) { workspace.cancel(); }});
  registry.add(
      {.id = "run.live",
       .word = "live",
       .text = tr("Live"),
       .help = tr("Replays at every change; off: changes wait for Run"),
       .menu = "run",
       .section = "live",
       .checked = [&workspace] { return workspace.isLive(); },
       .run = [&workspace](const CommandArguments&) { workspace.setLive(!workspace.isLive()); }});
}

PaletteSearch::Source ParameterCommands::parameters(const Workspace& workspace) {
  return [&workspace](const QString& query) {
    QList<PaletteEntry> entries;
    const auto all = list_parameters(workspace.params());
    const auto add = [&](const QString& name, const QString& value, int score) {
      const auto meant = parameters_named(all, name.toStdString());
      const std::string_view help = meant.front().info.help;
      const QString now = valuesText(meant);
      PaletteEntry entry{
          .text = name + QStringLiteral(" = ") + (value.isEmpty() ? now : value),
          .detail = (value.isEmpty() ? QString() : tr("now %1 · ").arg(now)) +
                    QString::fromUtf8(help.data(), static_cast<qsizetype>(help.size())),
          .completion = name + QStringLiteral(" = ") + value,
          .score = score};
      if (!value.isEmpty()) {
        entry.invocation = Invocation{
            .id = "edit.set", .arguments = {{"assignment", name + QLatin1Char('=') + value}}};
        try {
          withValue(workspace.params(), name, value);
        } catch (const Error& error) {
          entry.enabled = false;
          entry.detail = QString::fromUtf8(error.what());
        }
      }
      entries.push_back(entry);
    };

    if (const auto line = readParameterLine(query, all)) {
      const auto meant = parameters_named(all, line->name.toStdString());
      QStringList values;
      for (const std::string& choice : meant.front().choices) {
        values.push_back(QString::fromStdString(choice));
      }
      if (meant.front().kind == ParameterKind::boolean) {
        values = {QStringLiteral("true"), QStringLiteral("false")};
      }
      const bool begun = std::any_of(values.begin(), values.end(), [&](const QString& value) {
        return value.startsWith(line->value);
      });
      if (begun) {
        for (const QString& value : values) {
          if (value.startsWith(line->value)) add(line->name, value, kNamed);
        }
      } else {
        add(line->name, line->value, kNamed);
      }
      return entries;
    }
    if (query.size() < kShortest) return entries;
    for (const QString& name : allNames(workspace.params())) {
      if (name.contains(QLatin1Char('.'))) continue;  // typed out, they are found, too
      std::optional<int> best;
      for (const QString& word : QStringList{name} + wordsFor(name)) {
        if (const auto score = fuzzyScore(query, word)) best = std::max(best.value_or(0), *score);
      }
      if (best) add(name, {}, *best);
    }
    return entries;
  };
}

}  // namespace qaq::views
