#include "app/scope/command_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qaq::scope {
namespace {

using views::Command;
using views::CommandArgument;

const char* kindName(CommandArgument::Kind kind) {
  switch (kind) {
    case CommandArgument::Kind::whole:
      return "whole";
    case CommandArgument::Kind::choice:
      return "choice";
    case CommandArgument::Kind::text:
      return "text";
  }
  return "";
}

/// "go.layer LAYER".
QString usage(const Command& command) {
  QString text = command.id;
  for (const CommandArgument& argument : command.arguments) {
    text += QStringLiteral(" %1").arg(argument.optional
                                          ? QStringLiteral("[%1]").arg(argument.name.toUpper())
                                          : argument.name.toUpper());
  }
  return text;
}

QStringList portable(const QList<QKeySequence>& shortcuts) {
  QStringList texts;
  for (const QKeySequence& key : shortcuts) {
    texts.push_back(key.toString(QKeySequence::PortableText));
  }
  return texts;
}

}  // namespace

std::string commandsText(const views::CommandRegistry& registry) {
  qsizetype names = 0, words = 0, keys = 0;
  const auto keysOf = [&](const Command* command) {
    return portable(registry.shortcuts(command->id)).join(QStringLiteral(", "));
  };
  for (const Command* command : registry.all()) {
    names = std::max(names, usage(*command).size());
    words = std::max(words, command->word.size());
    keys = std::max(keys, keysOf(command).size());
  }
  QString text;
  for (const Command* command : registry.all()) {
    text += usage(*command).leftJustified(names + 2) + command->word.leftJustified(words + 2) +
            keysOf(command).leftJustified(keys + 2) + command->text + QLatin1Char('\n');
  }
  return text.toStdString();
}

std::string commandsJson(const views::CommandRegistry& registry) {
  auto commands = nlohmann::ordered_json::array();
  for (const Command* command : registry.all()) {
    nlohmann::ordered_json one{{"id", command->id.toStdString()},
                               {"word", command->word.toStdString()},
                               {"text", command->text.toStdString()},
                               {"help", command->help.toStdString()},
                               {"menu", command->menu.toStdString()}};
    one["shortcuts"] = nlohmann::ordered_json::array();
    for (const QString& key : portable(registry.shortcuts(command->id))) {
      one["shortcuts"].push_back(key.toStdString());
    }
    one["arguments"] = nlohmann::ordered_json::array();
    for (const CommandArgument& argument : command->arguments) {
      one["arguments"].push_back({{"name", argument.name.toStdString()},
                                  {"help", argument.help.toStdString()},
                                  {"kind", kindName(argument.kind)},
                                  {"optional", argument.optional}});
    }
    commands.push_back(std::move(one));
  }
  const nlohmann::ordered_json document{{"schema_version", 1}, {"commands", std::move(commands)}};
  return document.dump(2) + "\n";
}

}  // namespace qaq::scope
