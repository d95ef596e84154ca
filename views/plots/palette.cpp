#include "views/plots/palette.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <cmath>
#include <stdexcept>

// A static library's resources are not registered by themselves. Must stand outside a namespace.
static void registerResources() { Q_INIT_RESOURCE(plots); }

namespace qaq::views {
namespace {

QJsonObject palettesFile() {
  registerResources();
  QFile file(QStringLiteral(":/qaq/palettes.json"));
  if (!file.open(QIODevice::ReadOnly)) throw std::logic_error("palettes.json is not built in");
  return QJsonDocument::fromJson(file.readAll()).object();
}

QRgb rgbOf(const QJsonValue& value) {
  const QColor color(value.toString());
  if (!color.isValid()) throw std::logic_error("palettes.json: a colour is missing");
  return color.rgb();
}

std::vector<QRgb> tableOf(const QJsonValue& value) {
  std::vector<QRgb> table;
  for (const QJsonValue& color : value.toArray()) table.push_back(rgbOf(color));
  if (table.empty()) throw std::logic_error("palettes.json: a table is missing");
  return table;
}

/// CIE L* of an sRGB colour.
double lightness(QRgb color) {
  const auto linear = [](int channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  const double y =
      0.2126 * linear(qRed(color)) + 0.7152 * linear(qGreen(color)) + 0.0722 * linear(qBlue(color));
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

}  // namespace

const Palette& Palette::of(ThemeKind kind) {
  static const Palette light(ThemeKind::light);
  static const Palette dark(ThemeKind::dark);
  return kind == ThemeKind::light ? light : dark;
}

Palette::Palette(ThemeKind kind) {
  const QString name = kind == ThemeKind::light ? QStringLiteral("light") : QStringLiteral("dark");
  const QJsonObject file = palettesFile();
  const QJsonObject bits = file["bits"].toObject()[name].toObject();
  for (int width = 0; width <= kWidestBits; ++width) {
    m_bits.push_back(rgbOf(bits[QString::number(width)]));
  }
  m_bits.push_back(rgbOf(bits["exact"]));
  const QJsonObject evicted = bits["evicted"].toObject();
  m_evicted = {rgbOf(evicted["fill"]), rgbOf(evicted["pattern_colour"])};
  m_viridis = tableOf(file["sequential"].toObject()["viridis"]);
  m_cividis = tableOf(file["sequential"].toObject()["cividis"]);
  m_diverging = tableOf(file["diverging"].toObject()[name].toObject()["table"]);
  for (const QJsonValue& category : file["categorical"].toArray()) {
    m_categories.push_back({rgbOf(category[name]), category["marker"].toString()});
  }
  m_single = file["single"].toObject()[name].toObject();
}

QRgb Palette::bits(int width) const {
  return width > kWidestBits ? exact() : m_bits[static_cast<std::size_t>(std::max(0, width))];
}

QColor Palette::inkOn(QRgb background) {
  return lightness(background) > 55 ? QColor(0x14, 0x18, 0x1D) : QColor(Qt::white);
}

QColor Palette::single(const char* name) const {
  return QColor(rgbOf(m_single[QLatin1String(name)]));
}

}  // namespace qaq::views
