"""The gin file of an experiment of one's own: short, complete, and with a reason on every line."""

from collections.abc import Mapping

from akdg_tf.data import teacher as teacher_data
from akdg_tf.models.counting import COMPARED
from akdg_tf.models.generators import DCGANGenerator, Generator, MLPGenerator
from akdg_tf.training.own_experiment import MNIST_CLASSIFIER, OwnExperiment

WRITTEN_BY = "written by akdg init"  # in the first line of the files that `akdg init --overwrite` may replace
WIDTHS = (32, 64, 128, 256)  # of the discriminators' convolutions; further ones have 256 channels
SETTINGS = {"sample_shape": "to which the images of its folder are resized and cropped"}
LAST_SIDE = 4  # pixels of the discriminators' last feature map, at least

Lines = list[tuple[str, str]]  # bindings, each with its comment


def gin_text(name: str, own: OwnExperiment) -> str:
    """The gin file.

    Args:
        name: of the experiment.
        own: what it is made of.
    """
    sections = {
        "The student": _student(own.student.network),
        "The teacher": _teacher(own),
        "The real images": _data(own),
        "The method": _method(own),
        "The training": TRAINING,
        "The results": _results(own),
    }
    parts = [f"# {title}\n" + "".join(f"{line}  # {why}\n" for line, why in lines) for title, lines in sections.items()]
    return "\n".join([_head(name, own), *parts])


def _head(name: str, own: OwnExperiment) -> str:
    """What the experiment is, what it costs and how it is started."""
    data = "" if own.data_dir is None else " --data_dir=FOLDER"
    lines = [
        f"{name}, {WRITTEN_BY}. Edit it as you like.",
        f"A student of the teacher {own.teacher!r}, distilled by AKDG:",
        f"    akdg run --gin_file={name}.gin{data}",
        f"The student costs {counted(vars(own.student.cost))} per image.",
        f"The teacher costs {counted(own.costs)} per image.",
    ]
    return "".join(f"# {line}\n" for line in lines)


def counted(costs: Mapping[str, int | None]) -> str:
    """The counts that students and teachers are compared by, in words.

    Args:
        costs: counts by the names in `counting.Cost`; None if unknown.
    """
    known = [f"{costs[key]:,} {label}" for key, label in COMPARED.items() if costs[key] is not None]
    return " and ".join(known) or "an unknown number of mult-adds"


def _student(network: Generator) -> Lines:
    kind = type(network).__name__
    lines = [
        ("GeneratorExperiment.generator = @" + kind + "()", "the network that is trained"),
        (f"{kind}.latent_dim = {network.latent_dim}", "numbers in its noise; more of them allow more variety"),
        (f"{kind}.sample_shape = {network.sample_shape}", "height, width, channels: the teacher's"),
    ]
    if isinstance(network, DCGANGenerator):
        lines.append((f"{kind}.widths = {network.widths}", "channels, doubling the sides in between: what it costs"))
    if isinstance(network, MLPGenerator):
        lines.append((f"{kind}.width = {network.width}", "units of its three hidden layers: what it costs"))
        lines.append((f"{kind}.use_batch_norm = True", "without it, short trainings fail"))
    return lines


def _teacher(own: OwnExperiment) -> Lines:
    lines = [
        ("GeneratorExperiment.teacher = @load_teacher", "what the student learns from and is compared with"),
        (f"load_teacher.name = {own.teacher!r}", "change it if the teacher has moved"),
    ]
    lines += [
        (f"load_teacher.{key} = {value!r}", SETTINGS.get(key, "what the teacher does not tell itself"))
        for key, value in own.teacher_settings.items()
    ]
    if own.generates:
        bank = "@OnlineTeacher() draws new images in every step instead"
        lines.append(("GeneratorExperiment.teacher_source = @BankedTeacher()", bank))
        lines.append(("BankedTeacher.images = 20000", "drawn once, before the training; more for varied images"))
    return lines


def _data(own: OwnExperiment) -> Lines:
    where = {
        teacher_data.NAME: "none: the scores compare with the teacher's images, and are named fid_to_teacher",
        "folder": "the image files below --data_dir, resized and cropped at their centre",
    }
    lines = [
        ("GeneratorExperiment.data = @Data()", "what the images are compared with"),
        (f"Data.name = {own.data!r}", where.get(own.data, "a registered dataset; 'folder' for your own images")),
    ]
    flip = ("Data.flip = False", "True if a mirrored image is as good: twice as many for faces or photographs")
    return lines if own.data == teacher_data.NAME else [*lines, flip]


def _method(own: OwnExperiment) -> Lines:
    d_s = ("AKDG.discriminator = @ConvDiscriminator()", "D_S, which compares with the real images")
    if own.data == teacher_data.NAME:
        d_s = ("AKDG.discriminator = None", "there is no D_S without real images")
    return [
        ("GeneratorExperiment.method = @AKDG", "Adversarial Knowledge Distillation"),
        d_s,
        ("AKDG.distillation_discriminator = @ConvDiscriminator()", "D_KD, which compares with the teacher's images"),
        ("AKDG.distillation_weight = 1.0", "lambda, the weight of D_KD: less if the real images are the better ones"),
        ("AKDG.penalty = @R1Penalty()", "keeps the discriminators smooth; None trains without it, and often fails"),
        ("AKDG.ema_decay = 0.998", "of the averaged weights that are exported; 0.999 for long trainings"),
        (
            f"ConvDiscriminator.widths = {_widths(own)}",
            "channels of the discriminators; they do not add to the student's cost",
        ),
        ("R1Penalty.gamma = 3.0", "more if the losses swing or the images become alike"),
        ("R1Penalty.every = 8", "steps between two penalties; 1 is slower and follows the equation"),
    ]


def _widths(own: OwnExperiment) -> tuple[int, ...]:
    """The channels of the discriminators: as many convolutions as leave sides of 4 pixels or more."""
    widths: list[int] = []
    side = min(own.student.network.sample_shape[:2])
    while side >= 2 * LAST_SIDE or not widths:
        widths.append(WIDTHS[min(len(widths), len(WIDTHS) - 1)])
        side //= 2
    return tuple(widths)


TRAINING: Lines = [
    ("make_experiment.experiment = @GeneratorExperiment", "the kind of experiment"),
    ("GeneratorExperiment.schedule = @Schedule()", "how long"),
    ("Schedule.steps = 5000", "a first student; 20,000 and more for a good one"),
    ("Schedule.batch_size = 64", "less if the memory does not suffice"),
    ("Schedule.report_every = 100", "steps between log lines and checkpoints; divides the steps"),
    ("GeneratorExperiment.optimizers = @Optimizers()", "one per network"),
    ("Optimizers.generator = @keras.optimizers.Adam()", "the discriminators' is the same unless it is bound"),
    ("keras.optimizers.Adam.learning_rate = 1e-3", "less for longer trainings, or if the losses swing"),
    ("keras.optimizers.Adam.beta_1 = 0.0", "no momentum, as usual with R1"),
    ("keras.optimizers.Adam.beta_2 = 0.99", "as usual with R1"),
]


def _results(own: OwnExperiment) -> Lines:
    exports = ("GeneratorExperiment.exports = (@LiteRT(),)", "model.tflite, beside the SavedModel; () for none")
    if own.classifier is None:
        none = "no scores: bind them if you have a classifier that takes these images"
        return [exports, ("GeneratorExperiment.evaluations = {}", none)]
    mnist = own.classifier == MNIST_CLASSIFIER
    which = "knows digits" if mnist else "knows ImageNet; resizes images of any size itself"
    return [
        exports,
        ("GeneratorExperiment.evaluations = {'scores': @ImageScores()}", "IS, FID, KID, precision and recall"),
        (f"ImageScores.samples = {5000 if mnist else 10000}", "generated images, and at most as many real ones"),
        ("ImageScores.classifier = @load_classifier", "a classifier of the zoo, which needs no network"),
        (f"load_classifier.name = {own.classifier!r}", which),
    ]
