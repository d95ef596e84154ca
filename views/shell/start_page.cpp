#include "views/shell/start_page.h"

#include <QEvent>
#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/plots/number_format.h"
#include "views/shell/recent_list.h"
#include "views/shell/sample_pictures.h"
#include "views/shell/start_cards.h"

namespace qaq::views {
namespace {

constexpr int kWidest = 1180;  // px
constexpr int kSampleColumns = 3;
constexpr int kGap = 12;

QLabel* textLabel(const QString& text, int px, bool bold = false) {
  auto* label = new QLabel(text);
  label->setFont(Theme::font(px, bold));
  label->setWordWrap(true);
  label->setTextFormat(Qt::PlainText);
  return label;
}

QVBoxLayout* columnOf(QWidget* widget) {
  auto* column = new QVBoxLayout(widget);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(8);
  return column;
}

}  // namespace

StartPage::StartPage(const WindowServices& services, QWidget* parent)
    : QWidget(parent),
      m_opener(services.openCapture),
      m_sampleList(services.samples),
      m_recent(services.recent),
      m_pictures([this](const auto& pictures) { showSamples(*pictures); }, [](const QString&) {}) {
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  auto* scroll = new QScrollArea;
  scroll->setObjectName(QStringLiteral("start"));
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidgetResizable(true);
  outer->addWidget(scroll);
  auto* page = new QWidget;
  auto* across = new QHBoxLayout(page);
  across->setContentsMargins(24, 24, 24, 24);
  auto* body = new QWidget;
  body->setMaximumWidth(kWidest);
  across->addStretch(1);
  across->addWidget(body, 1000);
  across->addStretch(1);
  scroll->setWidget(page);

  auto* column = columnOf(body);
  column->addStretch(1);
  m_title = textLabel(tr("QAQ Scope"), 30, true);
  column->addWidget(m_title);
  m_lead = textLabel(
      tr("See what a language model’s KV cache keeps, and what it loses, when it is quantized."),
      15);
  column->addWidget(m_lead);
  m_state = textLabel({}, Theme::kTitlePx);
  m_state->setTextInteractionFlags(Qt::TextSelectableByMouse);
  column->addWidget(m_state);
  column->addSpacing(8);
  auto* halves = new QHBoxLayout;
  halves->setSpacing(28);
  halves->addWidget(makeLeft(services), 3);
  if (!m_sampleList.isEmpty()) halves->addWidget(makeSamples(m_sampleList), 0, Qt::AlignTop);
  column->addLayout(halves);
  column->addSpacing(8);
  auto* hint = textLabel(services.sessions.load
                             ? tr("A capture or a session may be dropped anywhere in this window.")
                             : tr("A capture may be dropped anywhere in this window."),
                         Theme::kLabelPx);
  m_headings.push_back(hint);
  column->addWidget(hint);
  column->addStretch(4);
  refresh();
}

StartPage::~StartPage() = default;

ActionCard* StartPage::addCard(QLayout* column, ActionCard* card) {
  column->addWidget(card);
  m_actions.push_back(card);
  return card;
}

QWidget* StartPage::makeLeft(const WindowServices& services) {
  auto* left = new QWidget;
  left->setMaximumWidth(480);
  auto* column = columnOf(left);
  connect(addCard(column, new ActionCard(
                              Icon::open,
                              {tr("Open capture…"), tr("HDF5 file written by qaq capture"),
                               QKeySequence(QKeySequence::Open).toString(QKeySequence::NativeText)},
                              true)),
          &QAbstractButton::clicked, this, &StartPage::openRequested);
  if (services.sessions.load) {
    connect(addCard(column, new ActionCard(Icon::file,
                                           {tr("Open session…"),
                                            tr("views, settings and layout as you left them"),
                                            {}},
                                           false)),
            &QAbstractButton::clicked, this, &StartPage::openSessionRequested);
  }
  if (services.capture.make) {
    connect(addCard(column, new ActionCard(Icon::chip,
                                           {tr("Capture from model…"),
                                            tr("run a GGUF or safetensors model on a prompt"),
                                            {}},
                                           false)),
            &QAbstractButton::clicked, this, &StartPage::captureRequested);
  }
  if (const auto n = services.lessons.lessons.size(); n > 0) {
    connect(addCard(column, new ActionCard(Icon::file,
                                           {tr("Lessons"),
                                            counted(static_cast<std::int64_t>(n),
                                                    tr("1 lesson, beside the live window"),
                                                    tr("%1 lessons, beside the live window")),
                                            {}},
                                           false)),
            &QAbstractButton::clicked, this, &StartPage::lessonsRequested);
  }
  if (m_recent) {
    column->addSpacing(8);
    m_recentTitle = textLabel(tr("Recent"), Theme::kTitlePx, true);
    m_headings.push_back(m_recentTitle);
    column->addWidget(m_recentTitle);
    m_recentList = new RecentList;
    column->addWidget(m_recentList);
    connect(m_recentList, &RecentList::openRequested, this, &StartPage::fileRequested);
    connect(m_recentList, &RecentList::locateRequested, this, &StartPage::locateRequested);
    connect(m_recentList, &RecentList::removeRequested, this, [this](const QString& path) {
      m_recent->remove(path);
      refresh();
    });
  }
  column->addStretch(1);
  return left;
}

QWidget* StartPage::makeSamples(const QList<Sample>& samples) {
  auto* right = new QWidget;
  auto* column = columnOf(right);
  auto* heading = textLabel(tr("Sample captures"), Theme::kTitlePx, true);
  m_headings.push_back(heading);
  column->addWidget(heading);
  auto* grid = new QGridLayout;
  grid->setSpacing(kGap);
  for (int i = 0; i < samples.size(); ++i) {
    auto* card = new SampleCard(samples[i].title);
    grid->addWidget(card, i / kSampleColumns, i % kSampleColumns);
    m_samples.push_back(card);
    connect(card, &QAbstractButton::clicked, this,
            [this, i] { emit sampleRequested(m_sampleList[i]); });
  }
  column->addLayout(grid);
  return right;
}

void StartPage::refresh() {
  if (!m_recent) return;
  const QList<RecentFile> files = m_recent->list();
  m_recentTitle->setVisible(!files.isEmpty());
  m_recentList->setFiles(files);
}

void StartPage::drawSamples() {
  if (m_samples.empty() || m_drawn == m_theme.kind) return;
  m_drawn = m_theme.kind;
  m_pictures.request([samples = m_sampleList, opener = m_opener, kind = m_theme.kind,
                      pixels = SampleCard::kPicture * devicePixelRatioF()](const Work& work) {
    return views::drawSamples(samples, opener, kind, pixels, work);
  });
}

void StartPage::showSamples(const std::vector<SamplePicture>& pictures) {
  for (std::size_t i = 0; i < m_samples.size(); ++i) {
    const SamplePicture& made = pictures[i];
    if (made.error.isEmpty()) {
      m_samples[i]->setPicture(made.image, made.facts);
    } else {
      m_samples[i]->setError(made.error);
    }
  }
}

bool StartPage::isSettled() const { return !isVisible() || m_pictures.isReady(); }

void StartPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
  drawSamples();
}

void StartPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  // Back from another program: files may have come and gone.
  if (event->type() == QEvent::ActivationChange && isActiveWindow()) refresh();
}

void StartPage::setLoading(const QString& path) {
  m_state->setText(tr("Opening %1 …").arg(QFileInfo(path).fileName()));
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(m_theme.muted.name()));
}

void StartPage::setError(const QString& line) {
  m_state->setText(line.isEmpty() ? QString() : QStringLiteral("⚠ ") + line);
  m_state->setStyleSheet(QStringLiteral("color: %1").arg(m_theme.warning.name()));
}

QString StartPage::errorText() const { return m_state->text(); }

void StartPage::setTheme(const Theme& theme) {
  m_theme = theme;
  const auto muted = QStringLiteral("color: %1").arg(theme.muted.name());
  m_lead->setStyleSheet(muted);
  for (QLabel* heading : m_headings) heading->setStyleSheet(muted);
  for (ActionCard* card : m_actions) card->setTheme(theme);
  for (SampleCard* card : m_samples) card->setTheme(theme);
  if (m_recentList) m_recentList->setTheme(theme);
  setStyleSheet(QStringLiteral("#start, #start > QWidget > QWidget { background: %1; }")
                    .arg(theme.background.name()));
  if (isVisible()) drawSamples();
}

}  // namespace qaq::views
