#include "views/panels/export_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include "views/plots/figure_page.h"

namespace qaq::views {
namespace {

// Widths of what figures are made for, in mm; 0 leaves the present one.
struct SizePreset {
  const char* name;
  double width;
  double height;  ///< 0: in proportion
};
constexpr SizePreset kSizes[] = {
    {QT_TRANSLATE_NOOP("qaq::views::ExportDialog", "As on the screen"), 0, 0},
    {QT_TRANSLATE_NOOP("qaq::views::ExportDialog", "One column (85 mm)"), 85, 0},
    {QT_TRANSLATE_NOOP("qaq::views::ExportDialog", "Two columns (175 mm)"), 175, 0},
    {QT_TRANSLATE_NOOP("qaq::views::ExportDialog", "Slide (254 × 143 mm)"), 254, 143},
};
constexpr double kLeastMm = 30, kMostMm = 2000;

QDoubleSpinBox* lengthBox(const QString& name) {
  auto* box = new QDoubleSpinBox;
  box->setRange(kLeastMm, kMostMm);
  box->setDecimals(1);
  box->setSuffix(QStringLiteral(" mm"));
  box->setAccessibleName(name);
  return box;
}

}  // namespace

ExportDialog::ExportDialog(QWidget* parent)
    : QDialog(parent),
      m_what(new QComboBox),
      m_size(new QComboBox),
      m_width(lengthBox(tr("Width"))),
      m_height(lengthBox(tr("Height"))),
      m_scale(new QSpinBox),
      m_dark(new QCheckBox(tr("Dark theme"))),
      m_visibleRange(new QCheckBox(tr("Only what is in sight"))),
      m_path(new QLineEdit),
      m_problem(new QLabel) {
  setWindowTitle(tr("Export"));
  auto* column = new QVBoxLayout(this);
  auto* form = new QFormLayout;
  column->addLayout(form);
  m_scale->setRange(1, 8);
  m_scale->setValue(2);
  m_scale->setSuffix(QStringLiteral("×"));
  m_scale->setAccessibleName(tr("Dots a pixel"));
  for (const SizePreset& preset : kSizes) m_size->addItem(tr(preset.name));
  auto* lengths = new QHBoxLayout;
  lengths->addWidget(m_width);
  lengths->addWidget(new QLabel(QStringLiteral("×")));
  lengths->addWidget(m_height);
  auto* file = new QHBoxLayout;
  auto* browse = new QPushButton(tr("Choose…"));
  file->addWidget(m_path, 1);
  file->addWidget(browse);
  m_path->setAccessibleName(tr("File"));
  m_path->setMinimumWidth(320);
  m_visibleRange->setToolTip(tr("Rows of the tokens, layers and steps that the view shows now"));
  form->addRow(tr("What"), m_what);
  form->addRow(tr("Size"), m_size);
  form->addRow({}, lengths);
  form->addRow(tr("Dots a pixel, of PNG"), m_scale);
  form->addRow({}, m_dark);
  form->addRow({}, m_visibleRange);
  form->addRow(tr("File"), file);
  m_problem->setWordWrap(true);
  column->addWidget(m_problem);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
  m_export = buttons->addButton(tr("Export"), QDialogButtonBox::AcceptRole);
  column->addWidget(buttons);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(buttons, &QDialogButtonBox::accepted, this, [this] {
    emit exportRequested(request());
    accept();
  });
  connect(browse, &QPushButton::clicked, this, &ExportDialog::choosePath);
  connect(m_what, &QComboBox::currentIndexChanged, this, &ExportDialog::refresh);
  connect(m_size, &QComboBox::currentIndexChanged, this, &ExportDialog::takeSize);
  connect(m_path, &QLineEdit::textChanged, this, &ExportDialog::refresh);
}

void ExportDialog::offer(const QList<View>& views, const QString& chosen, const QSize& page) {
  m_views = views;
  m_page = page;
  m_what->clear();
  for (const View& view : views) {
    m_what->addItem(tr("Figure: %1").arg(view.title), QStringList{QStringLiteral("view"), view.id});
    if (view.id == chosen) m_what->setCurrentIndex(m_what->count() - 1);
  }
  m_what->addItem(tr("Figure: the whole page"), QStringList{QStringLiteral("page"), QString()});
  for (const View& view : views) {
    if (!view.hasTable) continue;
    m_what->addItem(tr("Numbers: %1").arg(view.title),
                    QStringList{QStringLiteral("table"), view.id});
  }
  takeSize();
  refresh();
}

bool ExportDialog::wantsTable() const {
  return m_what->currentData().toStringList().value(0) == QLatin1String("table");
}

void ExportDialog::takeSize() {
  const SizePreset& preset = kSizes[std::max(0, m_size->currentIndex())];
  const QSizeF page = QSizeF(m_page) / kPxPerMm;
  const double width = preset.width > 0 ? preset.width : page.width();
  m_width->setValue(width);
  m_height->setValue(preset.height > 0 ? preset.height : page.height() * width / page.width());
}

QString ExportDialog::problem() const {
  const QString suffix = QFileInfo(m_path->text()).suffix().toLower();
  if (m_path->text().trimmed().isEmpty()) return tr("Name a file.");
  const QStringList known = wantsTable() ? QStringList{QStringLiteral("csv"), QStringLiteral("h5")}
                                         : QStringList{QStringLiteral("pdf"), QStringLiteral("png"),
                                                       QStringLiteral("svg")};
  if (known.contains(suffix)) return {};
  return tr("End the name in one of: .%1").arg(known.join(QStringLiteral(", .")));
}

void ExportDialog::refresh() {
  const bool table = wantsTable();
  for (QWidget* widget : std::initializer_list<QWidget*>{m_size, m_width, m_height, m_dark}) {
    widget->setEnabled(!table);
  }
  m_scale->setEnabled(!table &&
                      m_path->text().endsWith(QLatin1String(".png"), Qt::CaseInsensitive));
  m_visibleRange->setEnabled(table);
  m_problem->setText(problem());
  m_export->setEnabled(problem().isEmpty());
}

void ExportDialog::choosePath() {
  const QString filter =
      wantsTable() ? tr("Numbers (*.csv *.h5)") : tr("Figures (*.pdf *.png *.svg)");
  auto* dialog = new QFileDialog(this, tr("Export to"), m_path->text(), filter);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  connect(dialog, &QFileDialog::fileSelected, m_path, &QLineEdit::setText);
  dialog->open();
}

ExportRequest ExportDialog::request() const {
  const QStringList what = m_what->currentData().toStringList();
  ExportRequest request;
  request.what = what.value(0) == QLatin1String("page")    ? ExportRequest::What::page
                 : what.value(0) == QLatin1String("table") ? ExportRequest::What::table
                                                           : ExportRequest::What::view;
  request.view = what.value(1);
  request.path = m_path->text().trimmed();
  request.millimetres = QSizeF(m_width->value(), m_height->value());
  request.scale = m_scale->value();
  request.theme = m_dark->isChecked() ? ThemeKind::dark : ThemeKind::light;
  request.visibleRange = m_visibleRange->isChecked();
  return request;
}

}  // namespace qaq::views
