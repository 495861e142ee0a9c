"""The families, one file each. A new one is a file here and a line in `MODELS`."""

from kerasgan.models.acgan import ACGAN
from kerasgan.models.conditional_gan import ConditionalGAN
from kerasgan.models.cyclegan import CycleGAN
from kerasgan.models.dbm import DBM
from kerasgan.models.dcgan import DCGAN
from kerasgan.models.infogan import InfoGAN
from kerasgan.models.lsgan import LSGAN
from kerasgan.models.naive_bayes import NaiveBayes
from kerasgan.models.pix2pix import Pix2Pix
from kerasgan.models.r3gan import R3GAN
from kerasgan.models.rbm import RBM
from kerasgan.models.sagan import SAGAN
from kerasgan.models.semi_supervised import SemiSupervisedGAN
from kerasgan.models.seqgan import SeqGAN
from kerasgan.models.sngan import SNGAN
from kerasgan.models.stylegan2 import StyleGAN2
from kerasgan.models.text_to_image import TextToImageGAN
from kerasgan.models.vae import VAE
from kerasgan.models.vanilla_gan import VanillaGAN
from kerasgan.models.wavegan import WaveGAN
from kerasgan.models.wgan import WGAN
from kerasgan.models.wgan_gp import WGANGP

# What recipes, presets and the command line call a model.
MODELS = {
    "gan": VanillaGAN,
    "dcgan": DCGAN,
    "lsgan": LSGAN,
    "wgan": WGAN,
    "wgan_gp": WGANGP,
    "conditional_gan": ConditionalGAN,
    "sngan": SNGAN,
    "sagan": SAGAN,
    "r3gan": R3GAN,
    "stylegan2": StyleGAN2,
    "semi_supervised": SemiSupervisedGAN,
    "acgan": ACGAN,
    "infogan": InfoGAN,
    "pix2pix": Pix2Pix,
    "cyclegan": CycleGAN,
    "wavegan": WaveGAN,
    "seqgan": SeqGAN,
    "text_to_image": TextToImageGAN,
    "vae": VAE,
    "naive_bayes": NaiveBayes,
    "rbm": RBM,
    "dbm": DBM,
}
