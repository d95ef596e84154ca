#include "views/commands/coordinate_reader.h"

#include <QRegularExpression>
#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/captured_layers.h"

namespace qaq::views {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& cure) {
  refuse_usage({.place = "cell", .what = what, .cure = cure});
}

int within(const char* name, int value, std::int64_t count) {
  if (value >= 0 && value < count) return value;
  refuse(cat("there is no ", name, " ", value), cat("give one from 0 to ", count - 1));
}

int layerIndex(const CaptureInfo& info, int layer) {
  if (const auto index = captured_index(info.layers, layer)) return *index;
  refuse(cat("layer ", layer, " was not captured"), "choose one of " + layer_list(info.layers));
}

/// "value,14,1,56,84" as the window would write it.
QString spelledOut(const QString& text) {
  static const QRegularExpression kList(
      QStringLiteral("^\\s*(k|v|key|value)\\s*,(\\d+),(\\d+),(\\d+)(?:,(\\d+))?\\s*$"),
      QRegularExpression::CaseInsensitiveOption);
  const QRegularExpressionMatch list = kList.match(text);
  if (!list.hasMatch()) return text;
  const QString cell =
      QStringLiteral("%1 L%2 H%3 T%4")
          .arg(list.captured(1), list.captured(2), list.captured(3), list.captured(4));
  const QString step = list.captured(5);
  return step.isEmpty() ? cell : cell + QStringLiteral(" step") + step;
}

}  // namespace

Cursor readCoordinate(const QString& text, const CaptureInfo& info, const Cursor& start) {
  static const QRegularExpression kPart(
      QStringLiteral("\\G[\\s,·]*(?:(key|value|k|v)\\b|(layer|l|kvh|head|h|token|tok|t|step|s|"
                     "channel|ch|c)[\\s:]*(\\d+)\\b|“[^”]*”)[\\s,·]*"),
      QRegularExpression::CaseInsensitiveOption);
  const QString written = spelledOut(text);
  Cursor cursor = start;
  cursor.step = cursor.channel = Cursor::kNone;
  qsizetype at = 0;
  while (at < written.size()) {
    const QRegularExpressionMatch part = kPart.match(written, at);
    if (!part.hasMatch()) {
      refuse(cat("'", written.mid(at).trimmed().toStdString(), "' is no part of a cell"),
             "give key or value, layer, head, token, as in V L14 H1 tok 56");
    }
    at = part.capturedEnd();
    const QString side = part.captured(1).toLower(), name = part.captured(2).toLower();
    bool fits = true;
    const int number = name.isEmpty() ? 0 : part.captured(3).toInt(&fits);
    if (!fits) {
      refuse(cat("there is no ", name.toStdString(), " ", part.captured(3).toStdString()),
             "give one that the capture has");
    }
    if (!side.isEmpty()) {
      cursor.side = side.startsWith(QLatin1Char('k')) ? CacheSide::key : CacheSide::value;
    } else if (name.startsWith(QLatin1Char('l'))) {
      cursor.layer = layerIndex(info, number);
    } else if (name.startsWith(QLatin1Char('k')) || name.startsWith(QLatin1Char('h'))) {
      cursor.kvHead = within("KV head", number, info.shape.n_kv_heads);
    } else if (name.startsWith(QLatin1Char('t'))) {
      cursor.token = within("token", number, info.n_tokens);
    } else if (name.startsWith(QLatin1Char('s'))) {
      cursor.step = within("step", number, info.n_tokens);
    } else if (name.startsWith(QLatin1Char('c'))) {
      cursor.channel = within("channel", number, info.shape.head_dim);
    }
  }
  return cursor;
}

}  // namespace qaq::views
