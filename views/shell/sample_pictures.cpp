#include "views/shell/sample_pictures.h"

#include <map>

#include "core/base/error.h"
#include "core/base/text.h"
#include "views/plots/attention_pane.h"
#include "views/plots/number_format.h"
#include "views/plots/theme.h"
#include "views/plots/tile.h"
#include "views/shell/start_page.h"

namespace qaq::views {
namespace {

QString dotted(const QStringList& parts) { return parts.join(QStringLiteral(" · ")); }

QImage tileOf(const SharedHeatmap& map, const ColorMap& colors, ThemeKind theme,
              const QSize& pixels) {
  QImage image(pixels, QImage::Format_RGB32);
  image.fill(Theme::of(theme).surface);
  const Tile tile = renderTile({.map = map,
                                .reducer = colors.isDiscrete() ? Reducer::min : Reducer::max,
                                .area = map->area(),
                                .pixels = pixels,
                                .colors = colors,
                                .hatch = Theme::of(theme).hatch.rgb(),
                                .evicted = Palette::of(theme).evicted(),
                                .texts = false});
  QPainter(&image).drawImage(0, 0, tile.image);
  return image;
}

QString shapeText(const CaptureInfo& info) {
  return dotted(
      {QString::fromStdString(info.model_name),
       counted(info.n_tokens, StartPage::tr("1 token"), StartPage::tr("%1 tokens")),
       counted(info.n_captured_layers(), StartPage::tr("1 layer"), StartPage::tr("%1 layers")) +
           QStringLiteral(", ") +
           counted(info.shape.n_kv_heads, StartPage::tr("1 KV head"),
                   StartPage::tr("%1 KV heads"))});
}

/// "target error 3: V keeps 1.1 bits, packed 9.6×".
QString settingText(const Analysis& analysis) {
  return StartPage::tr("target error %1: V keeps %2 bits on average, packed %3×")
      .arg(QString::fromStdString(number_text(analysis.params.qaq.value.target_quantization_error)),
           numberText(analysis.replay->value.mean_bits), numberText(analysis.replay->ratio_packed));
}

QString jumpsText(const SliceMaps& slice) {
  const CaptureInfo& info = slice.analysis->capture->info();
  return dotted(
      {StartPage::tr("layer %1, KV head %2")
           .arg(info.layers[static_cast<std::size_t>(slice.slice.layer)])
           .arg(slice.slice.kvHead),
       counted(static_cast<std::int64_t>(slice.violations.size()),
               StartPage::tr("1 jump of importance"), StartPage::tr("%1 jumps of importance"))});
}

SamplePicture draw(const Sample& sample, const SharedCapture& capture, ThemeKind theme,
                   const QSize& pixels) {
  const SharedAnalysis analysis = analyse(
      {.capture = capture, .params = sample.params, .through = Analysis::Stage::violations});
  SamplePicture out;
  if (sample.view == QLatin1String("attention")) {
    const SharedSlice slice = loadSlice(analysis, defaultSlice(*analysis));
    if (slice->attention) {
      out.image =
          tileOf(slice->attention, probabilityColors(capture->info().n_tokens), theme, pixels);
      out.facts = jumpsText(*slice);
      return out;
    }
  }
  const bool plain = same_parameters(sample.params, ScopeParams{});
  out.image = tileOf(analysis->value.bits,
                     ColorMap::bits(Palette::of(theme), analysis->exactFrom(CacheSide::value)),
                     theme, pixels);
  out.facts = plain ? shapeText(capture->info()) : settingText(*analysis);
  return out;
}

}  // namespace

std::shared_ptr<const std::vector<SamplePicture>> drawSamples(const QList<Sample>& samples,
                                                              const CaptureOpener& opener,
                                                              ThemeKind theme, const QSize& pixels,
                                                              const Work& work) {
  auto out = std::make_shared<std::vector<SamplePicture>>();
  std::map<QString, SharedCapture> opened;  // several samples may show one capture
  for (const Sample& sample : samples) {
    work.throw_if_stopped();
    try {
      SharedCapture& capture = opened[sample.path];
      if (!capture) capture = opener(sample.path.toStdString(), work);
      out->push_back(draw(sample, capture, theme, pixels));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      out->push_back({.image = {}, .facts = {}, .error = QString::fromUtf8(error.what())});
    }
  }
  return out;
}

}  // namespace qaq::views
